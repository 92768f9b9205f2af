import ArgumentParser

/// `odcs wait`
struct Wait: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Wait until a compose is done or has failed.")

    @Argument(help: "The compose's number.")
    var id: Int
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let waiting = Waiting(id: id, client: try connection.connect(), console: .current, showsLog: false, json: connection.json)
        try await waiting.outcome(of: connection)
    }
}
