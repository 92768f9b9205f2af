import ArgumentParser
import ComposeClient
import ForeignText

/// The command `odcs delete`.
struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Cancel a compose that is not ready, or end the life of one that is.",
        discussion: "Its owner or an admin may.")

    @Argument(help: "The compose's number.")
    var id: Int
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let answer = try await connection.connect().delete(id)
        try connection.print(answer, or: answer.message.printable())
    }
}
