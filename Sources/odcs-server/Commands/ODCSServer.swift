import ArgumentParser
import ComposeModel
import EmbeddedPostgres
import ForeignText
@preconcurrency import Glibc
import Logging
import ServiceLog
import SystemPackage

/// The server's command line.
@main
struct ODCSServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "odcs-server",
        abstract: "Makes temporary RPM repositories to order.",
        discussion: "The client is `odcs`. Exit status: 0 fine, 1 the command failed, 64 wrong usage.",
        version: Version.current,
        subcommands: [
            Run.self, Frontend.self, Worker.self, Migrate.self, CheckConfig.self, CheckHost.self, Resolve.self,
            TokenCommand.self, AuditCommand.self, EventsCommand.self, HealthCheck.self,
        ])

    static func main() async {
        // If the process crashes or is killed, complete lines of output must not be lost.
        setvbuf(stdout, nil, Int32(_IOLBF), 0)
        // Without this variable, glibc looks at the file of the time zone twice for each line of the log.
        setenv("TZ", ":/etc/localtime", 0)
        FreedMemory.returnAtOnce()
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

/// An explained error is an error in the form for people, mostly one line.
struct Explained: Error, CustomStringConvertible {
    let description: String

    /// Returns `nil` for errors that ArgumentParser shows well itself, with usage.
    init?(_ error: any Error) {
        switch error {
        case is ValidationError, is ExitCode, is CleanExit: return nil
        case let error as any CustomStringConvertible & Error where !"\(type(of: error))".contains("ParserError"):
            // The lines of these errors come from this program. In others, a line break may come from outside.
            let hasLines = error is ComposeFailure || error is HostError || error is EmbeddedPostgresError
            description = error.description.printable(keepingLines: hasLines)
        default: return nil
        }
    }
}

/// The options of every command that reads the configuration.
struct ConfigurationOptions: ParsableArguments {
    @Option(name: .shortAndLong, help: "The configuration file. Without it every key has its default.")
    var config: String?

    func load() throws -> ServerConfiguration {
        try ServerConfiguration.load(config)
    }
}

extension ServerConfiguration {
    /// Runs the services of some roles until a signal ends them.
    ///
    /// - Parameters:
    ///   - file: The configuration file, which a signal makes the process read again.
    ///   - addressFile: The file that the frontend's address is written to.
    func run(_ roles: Set<ServerAssembly.Role>, file: String?, addressFile: String? = nil) async throws {
        let manager = ServiceManager.take()
        try await ServerAssembly(
            configuration: self, roles: roles, file: file, addressFile: addressFile.map { FilePath($0) }, manager: manager,
            logger: log.begin()
        ).run()
    }
}
