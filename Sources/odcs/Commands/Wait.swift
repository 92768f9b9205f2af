import ArgumentParser
import ComposeClient

/// The command `odcs wait`.
struct Wait: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "wait", abstract: "Wait until a compose is done or has failed.")

    @Argument(help: "The compose's number.")
    var id: Int
    @OptionGroup(title: "WAITING") var patience: PatienceOptions
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let client = try connection.connect()
        guard !patience.noWait else {
            let compose = try await client.get(id)
            return try connection.print(compose, or: Outcome(compose).text)
        }
        try await patience.waiting(for: id, client: client, json: connection.json).outcome(of: connection)
    }
}
