import ArgumentParser
import ComposeClient
import ForeignText
import HTTPEnvironment
import Synchronization

/// The options for the service that a command uses, and for the form of the output.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The service's address, as in \(Settings.defaultServer).", valueName: "url"))
    var server: String?

    @Option(help: ArgumentHelp("A file that holds the token to ask with.", valueName: "file"), completion: .file())
    var tokenFile: String?

    @Option(help: ArgumentHelp("A section [profiles.NAME] of ~/.config/odcs.toml.", valueName: "name"))
    var profile: String?

    @Flag(help: "Print JSON, for programs.")
    var json = false

    /// Returns a client of the service that the settings name.
    func connect() throws -> ComposeClient { try connect(with: Settings(self, in: .current)) }

    /// Returns a client of the service, with settings that were read before.
    func connect(with settings: Settings) -> ComposeClient {
        let console = Console.current
        return ComposeClient(
            server: settings.server, token: settings.token, httpClient: Self.httpClient(in: console), clock: console.clock,
            outage: { outage in
                // A closed stream is no reason to end. The outcome of the compose is printed elsewhere.
                try? console.err.line(Self.text(outage, redrawn: console.err.isTerminal))
            }, tokenExpiry: TokenWarning(console).show)
    }

    /// Returns the HTTP client. It also reads `REQUESTS_CA_BUNDLE`, because the published Python client
    /// does: this is the variable of Python's requests.
    static func httpClient(in console: Console) -> OutboundClient {
        .forComposes(in: HTTPEnvironment(console.environment, bundle: "REQUESTS_CA_BUNDLE"))
    }

    /// A *token warning* is a line for people about the end of the token. It is shown once.
    private final class TokenWarning: Sendable {
        private let console: Console
        private let isShown = Mutex(false)

        init(_ console: Console) {
            self.console = console
        }

        @Sendable func show(_ end: String) {
            guard
                isShown.withLock({ shown in
                    defer { shown = true }; return !shown
                })
            else { return }
            // A closed stream is no reason to end.
            try? console.err.line(
                "odcs: the token expires at \(Moment.text(end).printable()). 'odcs token rotate' gives it a new secret and a new life.")
        }
    }

    private static func text(_ outage: Outage, redrawn: Bool) -> String {
        let text =
            switch outage {
            case .began(let error): "odcs: \(error); waiting for it to come back"
            case .ended: "odcs: the server answers again"
            }
        // This clears a line of progress.
        return (redrawn ? "\r\u{1B}[K" : "") + text.printable()
    }

    /// Prints `value` as JSON for programs, or `text` for people.
    func print(_ value: some Encodable, or text: @autoclosure () -> String) throws {
        guard json else { return try Console.current.out.line(text().printable(keepingLines: true)) }
        try Console.current.out.line(JSONText(value).text)
    }
}
