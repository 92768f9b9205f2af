import ArgumentParser
import ComposeStore
import ForeignText
import Foundation
import Identity
import Logging
import ServiceLog

/// The commands for API tokens on the host of the service. They need no running server.
struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Create, list, rotate and revoke API tokens.",
        discussion: """
            The commands use the database of the configuration. The text of a token goes to standard output
            once, and cannot be shown again. All else goes to standard error.
            """,
        subcommands: [Create.self, List.self, Rotate.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a token and print it.",
            discussion: "Example: odcs-server token create --owner osbs --note CI --scope new-compose --days 90")

        @OptionGroup var options: ConfigurationOptions
        @Option(help: "The account that owns everything that the token makes.") var owner: String
        @Option(help: "A text that tells the token from others.") var note: String
        @Option(
            name: .customLong("scope"), help: "What the token may do, one of \(Scope.names). It may be given several times.")
        var scopes: [String]
        @Option(name: .customLong("group"), help: "A group of the owner. It may be given several times.") var groups: [String] = []
        @Option(help: "A rule of access.clients. The token may do only what the rule allows.") var rule: String?
        @Option(name: .customLong("repository"), help: "Repositories of images, as in team/*. It may be given several times.")
        var repositories: [String] = []
        @Option(help: "The number of days that the token is valid. 0 means without an end.") var days = 90

        func run() async throws {
            let account: AccountName
            do { account = try AccountName(owner) } catch { throw ValidationError("The name of the owner \(error.reason).") }
            let scopes = try scopes.map(Scope.init(name:))
            guard (0...36_500).contains(days) else { throw ValidationError("--days must be between 0 and 36500.") }
            let new = NewToken(
                owner: account, groups: Set(groups), note: note, scopes: Set(scopes), rule: rule,
                repositories: repositories.isEmpty ? nil : repositories, life: days == 0 ? nil : .seconds(days * 86_400))
            try await options.withStore { store in
                try TokenCommand.show(await store.createToken(new, by: .host))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List tokens, without their secrets.")

        @OptionGroup var options: ConfigurationOptions
        @Option(help: "Only the tokens of this account.") var owner: String?
        @Flag(help: "Revoked and expired tokens too.") var all = false

        func run() async throws {
            let account: AccountName?
            do { account = try owner.map { name throws(AccountName.Problem) in try AccountName(name) } } catch {
                throw ValidationError("The name of the owner \(error.reason).")
            }
            try await options.withStore { store in
                for token in try await store.tokens(owner: account, includingEnded: all) { print(TokenCommand.line(token)) }
            }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give a token a new secret and print it.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The id: the ten characters after odcs_.") var id: String
        @Option(help: "The number of hours that the old secret is still accepted. 0 ends it at once.") var overlapHours = 24

        func run() async throws {
            guard (0...8760).contains(overlapHours) else { throw ValidationError("--overlap-hours must be between 0 and 8760.") }
            try await options.withStore { store in
                guard let issued = try await store.rotateToken(id, overlap: .seconds(overlapHours * 3600), by: .host) else {
                    throw ValidationError("There is no valid token with the id \(id.printable()). 'odcs-server token list' shows all.")
                }
                try TokenCommand.show(issued)
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a token. The next request with it is refused.")

        @OptionGroup var options: ConfigurationOptions
        @Argument(help: "The id: the ten characters after odcs_.") var id: String

        func run() async throws {
            try await options.withStore { store in
                guard let token = try await store.revokeToken(id, by: .host) else {
                    throw ValidationError("There is no token with the id \(id.printable()). 'odcs-server token list' shows all.")
                }
                print(TokenCommand.line(token))
            }
        }
    }

    /// Prints the text of a token for programs, and the rest for people.
    private static func show(_ issued: IssuedToken) throws {
        FileHandle.standardError.write(Data((line(issued.token) + "\nKeep the token now. It cannot be shown again.\n").utf8))
        print(issued.text.text)
    }

    /// Returns a token as one line for people.
    private static func line(_ token: APIToken) -> String {
        let scopes = token.scopes.map(\.rawValue).sorted().joined(separator: " ")
        var words = ["\(token.id)  \(token.owner)  [\(scopes)]"]
        if let rule = token.rule { words.append("rule \(rule)") }
        if let repositories = token.repositories { words.append("repositories \(repositories.joined(separator: " "))") }
        words.append(token.expiresAt.map { "expires \($0.formatted(.iso8601))" } ?? "without an end")
        if let used = token.usedAt { words.append("used \(used.formatted(.iso8601)) from \(token.usedFrom ?? "this host")") }
        if let revoked = token.revokedAt { words.append("revoked \(revoked.formatted(.iso8601))") }
        words.append(token.note)
        return words.map { $0.printable() }.joined(separator: "  ")
    }
}

extension Scope {
    /// All names, for help texts.
    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }

    init(name: String) throws {
        guard let scope = Scope(rawValue: name) else {
            throw ValidationError("There is no scope \(name.printable()). The scopes are \(Scope.names).")
        }
        self = scope
    }
}

extension AuditSender {
    /// The person who runs a command on the host of the service.
    static var host: AuditSender { AuditSender(account: NSUserName(), provider: "odcs-server") }
}

extension ConfigurationOptions {
    /// Runs `body` with the store of the configured database.
    func withStore(_ body: (ComposeStore) async throws -> Void) async throws {
        let configuration = try load()
        let logger = configuration.log.begin()
        let database = try await Database.open(configuration, as: .visitor, logger: logger)
        do {
            try await body(ComposeStore(pool: database.pool))
        } catch {
            await database.close(logger: logger)
            throw error
        }
        await database.close(logger: logger)
    }
}
