import ArgumentParser
import ComposeClient
import ForeignText
import HTTPEnvironment

/// Which service a command asks, and how it answers.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The service's address, as in \(Settings.defaultServer).", valueName: "url"))
    var server: String?

    @Option(help: ArgumentHelp("A file that holds the token to ask with.", valueName: "file"), completion: .file())
    var tokenFile: String?

    @Option(help: ArgumentHelp("A section [profiles.NAME] of ~/.config/odcs.toml.", valueName: "name"))
    var profile: String?

    @Flag(help: "Print JSON, for programs.")
    var json = false

    /// A client of the service that the settings name.
    func connect() throws -> ComposeClient {
        let settings = try Settings(self, in: .current)
        let console = Console.current
        return ComposeClient(
            server: settings.server, token: settings.token, httpClient: Self.httpClient(in: console), clock: console.clock,
            outage: { outage in
                // A stream that is closed is no reason to end: what comes of the compose is said elsewhere.
                try? console.err.line(Self.text(outage, redrawn: console.err.isTerminal))
            })
    }

    /// The published client takes the variable of Python's requests.
    private static func httpClient(in console: Console) -> OutboundClient {
        .forComposes(in: HTTPEnvironment(console.environment, bundle: "REQUESTS_CA_BUNDLE"))
    }

    private static func text(_ outage: Outage, redrawn: Bool) -> String {
        let text =
            switch outage {
            case .began(let error): "odcs: \(error); waiting for it to come back"
            case .ended: "odcs: the server answers again"
            }
        // Where a line of progress may stand.
        return (redrawn ? "\r\u{1B}[K" : "") + text.printable()
    }

    /// Prints `value` as JSON, or `text` when people read it.
    func print(_ value: some Encodable, or text: @autoclosure () -> String) throws {
        guard json else { return try Console.current.out.line(text().printable(keepingLines: true)) }
        try Console.current.out.line(JSONText(value).text)
    }
}
