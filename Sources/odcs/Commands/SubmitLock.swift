import ArgumentParser
import ComposeClient
import ComposeModel
import ForeignText
import Foundation
import SystemPackage

/// The command `odcs submit --lock`: a compose made again from a lock file.
struct SubmitLock: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "again", abstract: "The packages of a lock file, as another compose had them.",
        discussion: """
            The lock file is the compose.lock.json of a compose, of this service or of
            another one. The new compose has the same repodata, byte by byte. If the
            sources lack a package, or have another file of it, the compose fails and
            names the package.

            EXAMPLES
              odcs submit --lock compose.lock.json
              odcs submit --lock 12 --ttl 2d      of compose 12 of this service
            """)

    @Option(help: ArgumentHelp("A compose.lock.json, or the number of a compose of the service.", valueName: "file or number"))
    var lock: String?
    @OptionGroup var compose: ComposeOptions
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let console = Console.current
        guard let lock else { throw CleanExit.helpRequest(Submit.self) }
        let client = try connection.connect()
        let compose = try await client.submit(lock: try Self.content(of: lock, in: console), besides: self.compose.members)
        guard !patience.noWait else { return try connection.print(compose, or: Outcome(compose).text) }
        try await patience.waiting(for: compose.id, client: client, json: connection.json).outcome(of: connection)
    }

    private static func content(of lock: String, in console: Console) throws -> ComposeClient.Lock {
        if let id = Int(lock) { return .compose(id) }
        let data: Data
        do {
            data = try Data(contentsOf: URL(filePath: console.path(lock).string))
        } catch {
            throw CommandFailure(.error, "the file of --lock, \(lock.quoted), cannot be read: \(SettingsFile.reason(error))")
        }
        guard let document = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw CommandFailure(.error, "\(lock.quoted) is no lock file; it must be the compose.lock.json of a compose")
        }
        return .file(try JSONSerialization.data(withJSONObject: Self.needed(of: document)))
    }

    /// Returns the members of a lock file that the service needs. The others are most of its size.
    private static func needed(of document: [String: Any]) -> [String: Any] {
        var needed = document.filter { ["version", "submission", "pins", "packages"].contains($0.key) }
        if let packages = document["packages"] as? [[String: Any]] {
            needed["packages"] = packages.map { $0.filter { ["nevra", "checksum"].contains($0.key) } }
        }
        return needed
    }
}
