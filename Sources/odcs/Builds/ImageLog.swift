import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The command `odcs image log`.
struct ImageLog: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log",
        abstract: "Print the log of a build.",
        discussion: """
            Each line begins with its platform, unless there is only one. The log of a
            build that goes on is printed while it grows.

            EXAMPLES
              odcs image log 7
              odcs image log 7 --platform linux/arm64
            """)

    @Argument(help: "The build's number.")
    var build: Int
    @Option(help: ArgumentHelp("Only this platform.", valueName: "platform"), transform: { try PlatformArgument.platform($0) })
    var platform: Platform?
    @OptionGroup(title: "SERVICE") var connection: ConnectionOptions

    func run() async throws {
        let (client, console) = (try connection.connect(), Console.current)
        let platforms = try await client.build(build).steps.compactMap(\.platform)
        if let platform, !platforms.contains(platform.description) {
            throw CommandFailure(
                .error, "build \(build) has nothing for \(platform); it has \(platforms.joined(separator: ", ").printable())")
        }
        let done: Void? = try await console.unlessInterrupted {
            for try await event in client.follow(build: build, logs: true) {
                switch event {
                case .logged(let from, let line) where platform.map({ $0.description == from }) ?? true:
                    let mark = platform == nil && platforms.count > 1 ? "[\(from)] " : ""
                    try console.out.line((mark + line).printable(keepingLines: true))
                case .logUnreadable(let from, let error) where platform.map({ $0.description == from }) ?? true:
                    throw CommandFailure(.error, "the log of \(from) cannot be read: \(error)")
                default: break
                }
            }
        }
        guard done != nil else { throw CommandFailure(.interrupted, "no longer printing the log, but build \(build) goes on") }
    }
}
