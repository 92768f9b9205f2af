import ArgumentParser
import ComposeModel
import EmbeddedPostgres
import ForeignText
@preconcurrency import Glibc
import Logging

/// The server's command line.
@main
struct ODCSServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "odcs-server",
        abstract: "Makes temporary RPM repositories to order.",
        discussion: "The client is `odcs`. Exit status: 0 fine, 1 it could not do what it was to do, 64 it was called wrongly.",
        version: Version.current,
        subcommands: [Run.self, Frontend.self, Worker.self, Migrate.self, CheckConfig.self, CheckHost.self, Resolve.self])

    static func main() async {
        // A crash or a kill must not take lines of output with it.
        setvbuf(stdout, nil, Int32(_IOLBF), 0)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: Explained(error) ?? error)
        }
    }
}

/// An error in the one line that a person is to see.
struct Explained: Error, CustomStringConvertible {
    let description: String

    /// `nil` for errors that ArgumentParser shows well itself, with usage.
    init?(_ error: any Error) {
        switch error {
        case is ValidationError, is ExitCode, is CleanExit: return nil
        case let error as any CustomStringConvertible & Error where !"\(type(of: error))".contains("ParserError"):
            // Their lines are of their makers. In others, a line break may be a stranger's.
            let hasLines = error is ComposeFailure || error is HostError || error is EmbeddedPostgresError
            description = error.description.printable(keepingLines: hasLines)
        default: return nil
        }
    }
}

/// The options that every command has which reads the configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The configuration file. Without it every key has its default.")
    var config: String?

    func load() throws -> ServerConfiguration {
        try ServerConfiguration.load(config)
    }
}

extension ServerConfiguration {
    /// Logs to standard error from here on.
    func bootstrapLogging() -> Logger {
        LoggingSystem.bootstrap { label in
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = logLevel
            return PrintableLog(handler)
        }
        return Logger(label: "odcs")
    }
}
