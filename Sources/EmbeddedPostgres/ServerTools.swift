import Foundation
import Processes
import Subprocess
import SystemPackage

/// The programs of one installed PostgreSQL server, with functions to run them.
struct ServerTools: Sendable {
    private static let names = ["initdb", "pg_ctl", "postgres"]

    /// The program that changes the user before it runs another program. The platform options of Subprocess
    /// 1.0 would do so after its raw clone3. There, glibc's setgroups waits for threads that the child does
    /// not have.
    private static let setpriv: FilePath = "/usr/bin/setpriv"

    let directory: FilePath
    /// The major version.
    let version: String
    let account: Account?

    /// Returns the newest installed server, or the one that made an existing cluster.
    ///
    /// - Parameter clusterVersion: The major version that made the data of an existing cluster. Example:
    ///   "15".
    /// - Throws: ``EmbeddedPostgresError`` when no such server is installed.
    static func find(for clusterVersion: String?, account: Account?) async throws -> ServerTools {
        let installed = try await installed(account: account)
        guard let newest = installed.first else {
            throw EmbeddedPostgresError("PostgreSQL's server is not installed: apt-get install postgresql")
        }
        guard let clusterVersion else { return newest }
        guard let same = installed.first(where: { $0.version == clusterVersion }) else {
            throw EmbeddedPostgresError(
                "the data was made by PostgreSQL \(clusterVersion), and only \(installed.map(\.version).joined(separator: ", ")) is installed: "
                    + "install postgresql-\(clusterVersion), move the data with pg_upgrade, or begin with an empty directory")
        }
        return same
    }

    /// Returns the installed servers, the newest first. These are the versions that Debian installs side by
    /// side, or else the server in PATH.
    private static func installed(account: Account?) async throws -> [ServerTools] {
        let root = FilePath("/usr/lib/postgresql")
        let hasDebianLayout = FileManager.default.fileExists(atPath: root.string)
        let versions = hasDebianLayout ? try FileManager.default.contentsOfDirectory(atPath: root.string) : []
        let debian = versions.compactMap { version -> ServerTools? in
            let directory = root.appending(version).appending("bin")
            return isComplete(directory) ? ServerTools(directory: directory, version: version, account: account) : nil
        }
        if !debian.isEmpty { return debian.sorted { $0.version.compare($1.version, options: .numeric) == .orderedDescending } }

        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        guard let directory = path.split(separator: ":").map({ FilePath(String($0)) }).first(where: isComplete) else { return [] }
        let tools = ServerTools(directory: directory, version: "", account: account)
        // "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"
        let answer = try await tools.run("postgres", ["--version"], on: nil)
        let version = answer.split(separator: " ").dropFirst(2).first?.prefix { $0.isNumber } ?? ""
        return [ServerTools(directory: directory, version: String(version), account: account)]
    }

    private static func isComplete(_ directory: FilePath) -> Bool {
        names.allSatisfy { FileManager.default.isExecutableFile(atPath: directory.appending($0).string) }
    }

    /// Runs one of the programs to its end, with the server's account.
    ///
    /// - Parameter cluster: The cluster for the program. Its path is not among the arguments, because
    ///   pg_ctl passes them to a shell. The program gets it from the environment and the working directory.
    /// - Returns: The output of the program.
    @discardableResult func run(_ name: String, _ arguments: [String], on cluster: Cluster?) async throws -> String {
        let program = directory.appending(name)
        let result: ExecutionResult<Void, StringOutput<UTF8>, CombinedErrorOutput>
        do {
            // The program does not get our environment. PGDATA and similar variables would change its meaning, and
            // the server would keep our secrets after we end.
            result = try await Subprocess.run(
                .path(account == nil ? program : Self.setpriv),
                arguments: Arguments((account?.prefix(for: program) ?? []) + arguments),
                environment: .custom(["PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "PGDATA": cluster?.data.string ?? ""]),
                workingDirectory: cluster?.directory ?? "/",
                output: .string(limit: 1 << 20), error: .combinedWithOutput)
        } catch let error as SubprocessError {
            throw EmbeddedPostgresError("PostgreSQL's \(name) cannot be run: \(error)")
        }
        guard result.terminationStatus.isSuccess else {
            let said = [
                result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines), cluster.map { Self.lastLines(of: $0.log) } ?? "",
            ]
            throw EmbeddedPostgresError("PostgreSQL's \(name) failed:\n" + said.filter { !$0.isEmpty }.joined(separator: "\n"))
        }
        return result.standardOutput
    }

    private static func lastLines(of log: FilePath) -> String {
        guard let text = FileManager.default.contents(atPath: log.string) else { return "" }
        let lines = String(decoding: text.suffix(16_384), as: UTF8.self).split(separator: "\n").suffix(10)
        return lines.isEmpty ? "" : "The end of \(log):\n" + lines.joined(separator: "\n")
    }
}
