import ArgumentParser
import ComposeClient
import ComposeModel
import ImageModel

/// The command `odcs submit`, with one subcommand for each source type.
struct Submit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Ask for a compose, and wait for it.",
        discussion: """
            The outcome is printed on stdout, the progress on stderr.

            EXAMPLES
              odcs submit repo ./tests-repo ed
              odcs submit repo 'https://a/repo https://b/repo' httpd --arch x86_64
              odcs submit tag f26 httpd --no-wait --json
              odcs submit tag f26 httpd --dry-run
              odcs submit --lock compose.lock.json
            """,
        subcommands: sources + [SubmitLock.self], defaultSubcommand: SubmitLock.self)
}

/// A subcommand of `odcs submit`.
protocol SubmitCommand: AsyncParsableCommand {
    var options: SubmissionOptions { get }
    var patience: PatienceOptions { get }
    var connection: ConnectionOptions { get }

    func source(in console: Console) throws -> ComposeSubmission.Source
    /// Adds the options that only composes of this source type have.
    func complete(_ submission: inout ComposeSubmission)
}

extension SubmitCommand {
    func complete(_ submission: inout ComposeSubmission) {}

    /// Asks for the compose, waits for it unless `--no-wait` is given, and prints the outcome. With
    /// `--dry-run`, prints what the compose would have.
    ///
    /// - Parameter name: The command's name in the published Python client, if it was called by that name.
    func submit(as name: String? = nil) async throws {
        let console = Console.current
        let client = try connection.connect()
        var submission = try options.submission(of: source(in: console), in: console)
        complete(&submission)
        if options.dryRun {
            let found = try await client.dryRun(submission)
            try connection.print(found, or: DryRunText(found).text)
            guard found.outcome != .failure else { throw CommandFailure(.composeFailed) }
            return
        }
        let compose = try await client.submit(submission)
        guard !patience.noWait else {
            return try connection.print(compose, or: Outcome(compose).text)
        }
        if let name, connection.json, !patience.quiet {
            // This is the published Python client's line. Scripts read the number of the compose from it.
            try console.out.line("Waiting for command \(name) on compose \(compose.id) to finish.")
        }
        try await patience.waiting(for: compose.id, client: client, json: connection.json).outcome(of: connection)
    }
}
