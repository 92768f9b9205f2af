import ArgumentParser
import ComposeClient
import ForeignText

/// The command `odcs image cancel`.
struct ImageCancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel a build that has not ended.",
        discussion: """
            EXAMPLE
              odcs image cancel 7
            """)

    @Argument(help: "The build's number, as 'odcs image builds' shows it.")
    var build: Int
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let answer = try await connection.connect().cancelBuild(build)
        try connection.print(answer, or: answer.message.printable())
    }
}
