import ArgumentParser
import ComposeClient
import ComposeModel
import ForeignText

/// The commands `odcs token …`.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Create, list, rotate and revoke your API tokens.",
        discussion: """
            A token cannot make tokens. Use the credentials of a person to create and
            revoke them. A token can rotate itself.
            """,
        subcommands: [Create.self, List.self, Rotate.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "Create a token and print it. It cannot be shown again.",
            discussion: "Example: odcs token create --note CI --scope new-compose --days 90 > token")

        @Option(help: ArgumentHelp("A text that tells the token from others.", valueName: "text"))
        var note: String
        @Option(
            name: .customLong("scope"),
            help: ArgumentHelp("What it may do, as in new-compose. May be given several times.", valueName: "scope"))
        var scopes: [String]
        @Option(help: ArgumentHelp("How long it is valid.", valueName: "number"))
        var days: Int?
        @Option(help: ArgumentHelp("A rule of the service. The token may do only what it allows.", valueName: "name"))
        var rule: String?
        @Option(
            name: .customLong("repository"),
            help: ArgumentHelp("Repositories of images, as in 'team/*'. May be given several times.", valueName: "pattern"))
        var repositories: [String] = []
        @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

        func run() async throws {
            let submission = TokenSubmission(
                note: note, scopes: scopes, days: days, rule: rule, repositories: repositories.isEmpty ? nil : repositories)
            try TokenCommand.show(try await connection.connect().createToken(submission), connection)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List your tokens, without their secrets.")

        @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

        func run() async throws {
            let list = try await connection.connect().tokens()
            let console = Console.current
            if list.items.isEmpty, !connection.json { return try console.err.line("You have no tokens.") }
            let head = ["ID", "NOTE", "SCOPES", "RULE", "EXPIRES (UTC)", "USED (UTC)", "FROM"]
            let rows = list.items.map { token in
                [
                    token.id, token.note, token.scopes.joined(separator: " "), token.rule ?? "-",
                    token.timeToExpire.map(Moment.brief) ?? "never",
                    token.timeUsed.map(Moment.brief) ?? "-", token.usedFrom ?? "-",
                ]
            }
            let columns = console.out.isTerminal ? console.out.columns() : nil
            try connection.print(list, or: Table(rows: [head] + rows, shrinkable: [1, 2]).text(columns: columns))
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Give a token a new secret and a new life.",
            discussion: """
                Without an id, it is the token that this command sends. If 'odcs login' has
                kept that token, the new one is kept in its place. Otherwise it is printed.
                """)

        @Argument(help: "The token's id: the ten characters after odcs_.")
        var id: String?
        @Option(help: ArgumentHelp("How many hours the old secret is still accepted. 0 ends it at once.", valueName: "number"))
        var overlapHours: Int?
        @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

        func validate() throws {
            if let overlapHours, overlapHours < 0 { throw ValidationError("--overlap-hours is at least 0") }
        }

        func run() async throws {
            let console = Console.current
            let settings = try Settings(connection, in: console)
            let own = settings.token.flatMap(TokenCommand.id(of:))
            guard let id = id ?? own else {
                throw CommandFailure(
                    .usage, "name the id of a token, because these credentials are no API token; 'odcs token list' shows it")
            }
            let client = connection.connect(with: settings)
            let token = try await client.rotateToken(id, TokenRotation(overlapHours: overlapHours))
            guard id == own, settings.isTokenKept, let text = token.token, let file = TokenFile(in: console.environment) else {
                return try TokenCommand.show(token, connection)
            }
            do {
                try file.set(text, for: settings.server)
            } catch {
                // The new secret must not be lost.
                try TokenCommand.show(token, connection)
                throw error
            }
            var shown = token
            shown.token = nil
            try connection.print(
                shown, or: "Token \(id) has a new secret, which is kept in \(file.path). \(TokenCommand.end(token))".printable())
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "Revoke a token. The next request with it is refused.")

        @Argument(help: "The token's id, as 'odcs token list' shows it.")
        var id: String
        @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

        func run() async throws {
            guard TokenCommand.isID(id) else {
                throw CommandFailure(.usage, "an id has ten letters and digits, as in 'odcs token list'; never give the token itself")
            }
            let token = try await connection.connect().revokeToken(id)
            try connection.print(token, or: "Token \(token.id) (\(token.note)) is revoked.".printable())
        }
    }

    /// Prints the text of a token for programs on standard output, and the rest for people.
    fileprivate static func show(_ token: TokenDocument, _ connection: ConnectionOptions) throws {
        if !connection.json {
            try Console.current.err.line(
                "Token \(token.id) (\(token.note)) of \(token.owner). \(end(token)) Keep it now. It cannot be shown again.".printable())
        }
        try connection.print(token, or: token.token ?? "")
    }

    fileprivate static func end(_ token: TokenDocument) -> String {
        token.timeToExpire.map { "It expires at \(Moment.text($0))." } ?? "It does not expire."
    }

    /// Returns the id of an API token, or `nil` for other credentials.
    fileprivate static func id(of token: String) -> String? {
        guard token.hasPrefix("odcs_") else { return nil }
        let id = String(token.dropFirst(5).prefix(10))
        return isID(id) ? id : nil
    }

    fileprivate static func isID(_ text: String) -> Bool {
        text.count == 10 && text.allSatisfy { $0.isASCII && ($0.isLowercase || $0.isNumber) }
    }
}
