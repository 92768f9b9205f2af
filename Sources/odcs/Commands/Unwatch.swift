import ArgumentParser
import ComposeClient
import ComposeModel
import ForeignText

/// The command `odcs unwatch`.
struct Unwatch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unwatch",
        abstract: "End a watch that watch-tag began.",
        discussion: "Its owner or an admin may. The composes that came of it stay as long as they would have.")

    @Argument(help: "The watch's number, as 'odcs watches' shows it.")
    var id: Int
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let watch = try await connection.connect().endWatch(id)
        let time = watch.timeEnded.map { " at \(Moment.text($0))" } ?? ""
        try connection.print(watch, or: "Watch \(watch.id) of \(watch.source) ended\(time). Its composes stay.".printable())
    }
}
