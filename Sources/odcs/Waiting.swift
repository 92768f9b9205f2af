import ComposeClient
import ComposeModel
import ForeignText

/// Stays with a compose until its state is final, and shows how it gets on: one line that is redrawn on a terminal, a line for each change
/// elsewhere, or its log.
struct Waiting {
    let id: Int
    let client: ComposeClient
    let console: Console
    let showsLog: Bool
    let isQuiet: Bool
    let json: Bool

    private var redraws: Bool { console.err.isTerminal && !showsLog && !isQuiet }

    /// Waits, prints the outcome, and ends the command with the status that belongs to it.
    func outcome(of connection: ConnectionOptions) async throws {
        let compose = try await untilFinal()
        try connection.print(compose, or: Outcome(compose).text)
        guard compose.state == ComposeState.done.rawValue else { throw CommandFailure(.composeFailed) }
    }

    private func untilFinal() async throws -> ComposeDocument {
        let compose: ComposeDocument?
        do {
            compose = try await console.unlessInterrupted { try await follow() }
        } catch {
            try clearLine()
            throw error
        }
        try clearLine()
        guard let compose else {
            throw CommandFailure(
                .interrupted, "no longer waiting, but compose \(id) goes on; 'odcs wait \(id)' picks it up, 'odcs delete \(id)' cancels it")
        }
        return compose
    }

    private func follow() async throws -> ComposeDocument {
        var progress = ProgressLine(id: id)
        let elapsed = Self.stopwatch(console.clock)
        var latest: ComposeDocument?
        for try await event in client.follow(id, log: showsLog || redraws) {
            switch event {
            case .changed(let compose):
                latest = compose
                if progress.state != compose.stateName, !redraws, !isQuiet {
                    try console.err.line("compose \(id): \(compose.stateName.printable())")
                }
                progress.state = compose.stateName
            case .logged(let line):
                progress.newest = line
                if showsLog { try (json ? console.err : console.out).line(line.printable(keepingLines: true)) }
            case .logUnreadable(let error):
                // The progress line only borrows from the log; who asked for the log must know that there is none.
                if showsLog { try console.err.line("odcs: the log cannot be read, waiting on without it: \(error)") }
            case .unchanged:
                break
            }
            if redraws {
                progress.elapsed = elapsed()
                try console.err.write("\r\(progress.text(columns: console.err.columns()))\u{1B}[K")
            }
        }
        guard let latest else { throw CancellationError() }
        return latest
    }

    private func clearLine() throws {
        if redraws { try console.err.write("\r\u{1B}[K") }
    }

    private static func stopwatch(_ clock: some Clock<Duration>) -> () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
