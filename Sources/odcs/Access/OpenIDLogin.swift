import ArgumentParser
import ComposeClient
import ComposeModel
import ForeignText
import Foundation

/// The options of a login at an OpenID provider, and the login itself.
///
/// The access token of the provider is used once, to create an API token. Programs of the person
/// therefore need no browser for a month, and the provider's token is not kept.
struct OpenIDLogin: ParsableArguments {
    @Option(name: .customLong("openid"), help: ArgumentHelp("The address of an OpenID provider to log in at.", valueName: "url"))
    var issuer: String?

    @Option(
        name: .customLong("client-id"), help: ArgumentHelp("The name by which the provider knows this program.", valueName: "name"))
    var clientID = "odcs"

    @Option(
        name: .customLong("openid-scope"),
        help: ArgumentHelp("A scope to ask the provider for. Repeatable. Without it: openid.", valueName: "scope"))
    var openIDScopes: [String] = []

    @Option(
        name: .customLong("scope"),
        help: ArgumentHelp("What the API token may do. Repeatable. Without it: everything with composes.", valueName: "scope"))
    var scopes: [String] = []

    @Option(help: ArgumentHelp("How long the API token is valid.", valueName: "number"))
    var days = 30

    func validate() throws {
        if issuer == nil, clientID != "odcs" || !openIDScopes.isEmpty || !scopes.isEmpty || days != 30 {
            throw ValidationError("--client-id, --openid-scope, --scope and --days need --openid")
        }
        guard days > 0 else { throw ValidationError("--days is at least 1") }
    }

    /// Returns a new API token of the person who logs in.
    func token(for settings: Settings, _ connection: ConnectionOptions, in console: Console) async throws -> String {
        let access: String
        do {
            let login = try DeviceLogin(
                issuer: issuer ?? "", clientID: clientID, scopes: openIDScopes.isEmpty ? ["openid"] : openIDScopes,
                httpClient: ConnectionOptions.httpClient(in: console), clock: console.clock)
            let granted = try await console.unlessInterrupted { try await login.token { try Self.show($0, in: console) } }
            guard let granted else { throw CommandFailure(.interrupted, "interrupted; no token was kept") }
            access = granted
        } catch let failure as DeviceLogin.Failure {
            throw CommandFailure(.error, failure.description)
        }
        var settings = settings
        settings.token = access
        let submission = TokenSubmission(
            note: "odcs login on \(ProcessInfo.processInfo.hostName)",
            scopes: scopes.isEmpty ? ["new-compose", "renew-compose", "delete-compose"] : scopes, days: days)
        guard let token = try await connection.connect(with: settings).createToken(submission).token else {
            throw CommandFailure(.error, "\(settings.server) has made a token, but has not shown it")
        }
        return token
    }

    /// Shows the address on standard error, because standard output has only the result.
    private static func show(_ prompt: DeviceLogin.Prompt, in console: Console) throws {
        let text =
            if let complete = prompt.completeAddress {
                "Open \(complete) in a browser, and compare the code: \(prompt.code)"
            } else {
                "Open \(prompt.address) in a browser, and enter the code: \(prompt.code)"
            }
        try console.err.line(text.printable(most: 1000))
    }
}
