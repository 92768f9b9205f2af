import ArgumentParser
import ComposeClient
import ForeignText
import Foundation
import SystemPackage

/// The command `odcs login`. It keeps an API token for a server, so that no command line has it.
struct Login: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Keep an API token for a service, and check that the service accepts it.",
        discussion: """
            With --openid, you log in at an OpenID provider, with a browser on any
            device. The service then gives this program an API token for 30 days.

            Otherwise the token is read from a file, from standard input, or from the
            terminal, which does not show it. It is never an argument, because others
            can see arguments. It is kept in ~/.config/odcs/tokens.json, which only you
            can read. All commands for the same server then send it.

            EXAMPLES
              odcs login --server https://odcs.example.org
              odcs login --server https://odcs.example.org < token
              odcs login --openid https://id.example.org/realms/main
            """)

    @OptionGroup(title: "OPENID") var openID: OpenIDLogin
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func validate() throws {
        if openID.issuer != nil, connection.tokenFile != nil { throw ValidationError("--openid and --token-file exclude each other") }
    }

    func run() async throws {
        let console = Console.current
        var settings = try Settings(connection, in: console, readsToken: connection.tokenFile != nil)
        if openID.issuer != nil {
            settings.token = try await openID.token(for: settings, connection, in: console)
        } else if connection.tokenFile == nil {
            settings.token = try ask(for: settings.server, in: console)
        }
        let token = (settings.token ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        guard !token.isEmpty, !token.contains(where: { $0.isWhitespace || !$0.isASCII }) else {
            throw CommandFailure(.error, "the token is \(token.isEmpty ? "empty" : "not one word")")
        }
        guard let file = TokenFile(in: console.environment) else {
            throw CommandFailure(.error, "there is no place for the token, because HOME is not set")
        }
        settings.token = token
        let account = AccountText(try await connection.connect(with: settings).me())
        try file.set(token, for: settings.server)
        let report = Report(server: settings.server.description, account: account.name, file: file.path.string)
        try connection.print(report, or: "\(report.server) knows you as \(account.name.printable()). The token is kept in \(report.file).")
    }

    private func ask(for server: ServerAddress, in console: Console) throws -> String {
        guard console.input.isTerminal else { return try console.input.text() }
        try console.err.write("Token for \(server): ")
        let answer = try console.input.line(true)
        try console.err.line("")
        guard let answer else { throw CommandFailure(.interrupted, "interrupted; no token was kept") }
        return answer
    }

    private struct Report: Encodable {
        let server: String
        let account: String
        let file: String
    }
}

/// The command `odcs logout`.
struct Logout: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout",
        abstract: "Forget the token that login has kept for a service.",
        discussion: "The token itself stays valid. 'odcs token revoke' ends it.")

    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let console = Console.current
        let server = try Settings(connection, in: console, readsToken: false).server
        let file = TokenFile(in: console.environment)
        let isKept = try file?.token(for: server) != nil
        try file?.set(nil, for: server)
        struct Report: Encodable {
            let server: String
            let forgotten: Bool
        }
        try connection.print(
            Report(server: server.description, forgotten: isKept),
            or: isKept ? "The token for \(server) is forgotten." : "No token is kept for \(server).")
    }
}
