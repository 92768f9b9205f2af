import ArgumentParser
import ForeignText
import Foundation
import ImageModel
import Registry
import SystemPackage

/// The command `odcs image login`.
struct ImageLogin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Log in to a registry, for this command and for podman.",
        discussion: """
            The registry is asked whether it accepts the user name and the password. Then
            they are kept in podman's file of credentials, which podman, buildah, skopeo
            and 'odcs fetch' read. Without options you are asked for both.

            EXAMPLES
              odcs image login registry.example.org
              odcs image login localhost:5000 -u me --password-stdin --insecure < password

            ENVIRONMENT
              REGISTRY_AUTH_FILE  the file with credentials, unless --authfile names one
            """)

    @Argument(help: ArgumentHelp("The registry, with a path if the login is for a part of it.", valueName: "host[/path]"))
    var registry: String
    @Option(name: [.long, .short], help: ArgumentHelp("The user name.", valueName: "name"))
    var username: String?
    @Flag(help: "Read the password from standard input.")
    var passwordStdin = false
    @Option(help: ArgumentHelp("The file that keeps the credentials.", valueName: "file"), completion: .file())
    var authfile: String?
    @Flag(help: "Speak to a registry on this host without TLS.")
    var insecure = false
    // --json is one of these options. The others are of no use here.
    @OptionGroup(visibility: .hidden) var connection: ConnectionOptions

    func validate() throws {
        if passwordStdin, username == nil { throw ValidationError("--password-stdin needs --username, because both cannot be read there") }
    }

    func run() async throws {
        let console = Console.current
        let place = try Place(registry)
        let file = try authfile.map { console.path($0) } ?? defaultFile(in: console)
        let (user, password) = try credentials(for: place, in: console)
        let settings = try RegistrySettings.current(in: console, isLoopbackInsecure: insecure)
        let answer = try await console.unlessInterrupted {
            try await settings.withClient(in: console) { client in
                try await CommandFailure.explaining { () async throws(RegistryFailure) in
                    try await client.login(to: place.host, user: user, password: password)
                }
            }
        }
        guard let answer else { throw CommandFailure(.interrupted, "interrupted; no credentials were kept") }
        try CommandFailure.explaining { () throws(RegistryFailure) in
            try CredentialFiles.store(user: user, password: password, for: place.host, path: place.path, in: file)
        }
        let report = Report(registry: place.description, username: user, file: file.string, isChecked: answer == .accepted)
        try connection.print(report, or: report.text)
    }

    private func defaultFile(in console: Console) throws -> FilePath {
        guard let file = CredentialFiles(environment: console.environment).loginFile else {
            throw CommandFailure(.error, "there is no place for credentials; name a file with --authfile")
        }
        return file.isAbsolute ? file : console.path(file.string)
    }

    private func credentials(for place: Place, in console: Console) throws -> (user: String, password: String) {
        guard passwordStdin || console.input.isTerminal else {
            throw CommandFailure(
                .usage,
                "there is no terminal to ask for the password; pass it with --password-stdin, as in: odcs image login \(place) "
                    + "-u \(username?.printable() ?? "NAME") --password-stdin < FILE")
        }
        let user = try username ?? ask("User name for \(place): ", isSecret: false, in: console)
        guard !user.isEmpty, user.allSatisfy({ $0 != ":" && !$0.isNewline }) else {
            throw CommandFailure(.error, "a user name must not be empty, and must not have a colon")
        }
        var password = passwordStdin ? try console.input.text() : try ask("Password: ", isSecret: true, in: console)
        if password.last?.isNewline == true { password.removeLast() }
        guard !password.isEmpty, !password.contains(where: \.isNewline) else {
            throw CommandFailure(.error, "the password is \(password.isEmpty ? "empty" : "more than one line")")
        }
        return (user, password)
    }

    private func ask(_ question: String, isSecret: Bool, in console: Console) throws -> String {
        try console.err.write(question)
        let answer = try console.input.line(isSecret)
        if isSecret || answer == nil { try console.err.line("") }
        guard let answer else { throw CommandFailure(.interrupted, "interrupted; no credentials were kept") }
        return answer
    }

    /// A registry, or the repositories of one whose names begin alike.
    private struct Place: CustomStringConvertible {
        let host: RegistryHost
        let path: String?

        var description: String { path.map { "\(host)/\($0)" } ?? host.description }

        init(_ text: String) throws {
            let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
            do throws(ImageProblem) {
                host = try RegistryHost(parts.first ?? "")
                path = parts.count == 2 ? try ImageRepository(host: host, path: parts[1]).path : nil
            } catch {
                throw CommandFailure(.usage, error.description)
            }
        }
    }

    private struct Report: Encodable {
        let registry: String
        let username: String
        let file: String
        /// Whether the registry looked at the credentials.
        let isChecked: Bool

        private enum CodingKeys: String, CodingKey {
            case registry, username, file
            case isChecked = "checked"
        }

        var text: String {
            isChecked
                ? "\(registry) accepts \(username). The credentials are kept in \(file)."
                : "\(registry) asked for no credentials, so it did not check them. They are kept in \(file)."
        }
    }
}

extension CommandFailure {
    /// Runs `body`. Turns a registry's failure into the end of the command.
    static func explaining<Value>(_ body: () throws(RegistryFailure) -> Value) throws -> Value {
        do { return try body() } catch { throw CommandFailure(.error, error.message) }
    }

    static func explaining<Value>(_ body: () async throws(RegistryFailure) -> Value) async throws -> Value {
        do { return try await body() } catch { throw CommandFailure(.error, error.message) }
    }
}
