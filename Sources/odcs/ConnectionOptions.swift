import ArgumentParser
import ComposeClient

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
        return ComposeClient(server: settings.server, token: settings.token, clock: Console.current.clock)
    }

    /// Prints `value` as JSON, or `text` when people read it.
    func print(_ value: some Encodable, or text: @autoclosure () -> String) throws {
        guard json else { return try Console.current.out.line(Console.printable(text())) }
        try Console.current.out.line(JSONText(value).text)
    }
}
