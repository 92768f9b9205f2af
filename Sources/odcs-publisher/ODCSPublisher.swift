import ArgumentParser
@preconcurrency import Glibc
import ServiceConfiguration

/// The publisher's command line. It is a program of its own, so that the libraries of the brokers
/// are in neither the server nor the worker.
@main
struct ODCSPublisher: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "odcs-publisher",
        abstract: "Publishes the events of composes to message brokers.",
        discussion: "The brokers are in events.subscribers of the server's configuration file. 'odcs-server check-config' checks it.",
        version: "0.1.0",
        subcommands: [Run.self])

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Publish events until a signal ends the program.")

        @Option(name: .shortAndLong, help: "The configuration file of the server.") var config: String

        func run() async throws { try await PublisherAssembly(configuration: try .load(config)).run() }
    }

    static func main() async {
        // If the process crashes or is killed, complete lines of output must not be lost.
        setvbuf(stdout, nil, Int32(_IOLBF), 0)
        // Without this variable, glibc looks at the file of the time zone twice for each line of
        // the log.
        setenv("TZ", ":/etc/localtime", 0)
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as ConfigurationError {
            let text = "Error: \(error)\n"
            write(STDERR_FILENO, text, text.utf8.count)
            Glibc.exit(1)
        } catch {
            exit(withError: error)
        }
    }
}
