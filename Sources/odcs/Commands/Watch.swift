import ArgumentParser

/// The command `odcs watch`.
struct Watch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Print a compose's log while it grows, then its result.",
        discussion: """
            It is about one compose; 'odcs watch-tag' has composes made whenever a tag changes. With --json the log goes to stderr.
            """)

    @Argument(help: "The compose's number.")
    var id: Int
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let waiting = Waiting(
            id: id, client: try connection.connect(), console: .current, showsLog: true, isQuiet: false, json: connection.json)
        try await waiting.outcome(of: connection)
    }
}
