import ComposeClient
import ComposeModel
import ForeignText

/// Waits for a compose until its state is final, and shows its progress. On a terminal, one line is
/// redrawn. Elsewhere, each change gets a line. If ``showsLog`` is set, the log is printed instead.
struct Waiting {
    let id: Int
    let client: ComposeClient
    let console: Console
    let showsLog: Bool
    let isQuiet: Bool
    let json: Bool

    /// Waits, prints the outcome, and ends the command with the exit status of the outcome.
    func outcome(of connection: ConnectionOptions) async throws {
        let compose = try await untilFinal()
        let outcome = Outcome(compose)
        try connection.print(compose, or: outcome.text)
        guard outcome.isSuccess else { throw CommandFailure(.composeFailed) }
    }

    private func untilFinal() async throws -> ComposeDocument {
        let line = RedrawnLine(console, isWanted: !showsLog && !isQuiet)
        let compose = try await line.clearing { try await console.unlessInterrupted { try await follow(showing: line) } }
        guard let compose else {
            throw CommandFailure(
                .interrupted, "no longer waiting, but compose \(id) goes on; 'odcs wait \(id)' picks it up, 'odcs delete \(id)' cancels it")
        }
        return compose
    }

    private func follow(showing line: RedrawnLine) async throws -> ComposeDocument {
        var progress = ProgressLine(id: id)
        var latest: ComposeDocument?
        for try await event in client.follow(id, log: showsLog || line.isShown) {
            switch event {
            case .changed(let compose):
                latest = compose
                if progress.state != compose.stateName, !line.isShown, !isQuiet {
                    let queue = compose.queue.map { ", \($0.text(after: compose.stateReason))" } ?? ""
                    try console.err.line("compose \(id): \((compose.stateName + queue).printable())")
                }
                progress.state = compose.stateName
                progress.queue = compose.queue?.text(after: compose.stateReason)
            case .logged(let text):
                progress.newest = text
                if showsLog { try (json ? console.err : console.out).line(text.printable(keepingLines: true)) }
            case .logUnreadable(let error):
                // The progress line can do without the log. A user who requested the log must learn that it is
                // missing.
                if showsLog { try console.err.line("odcs: the log cannot be read, waiting on without it: \(error)") }
            case .unchanged:
                break
            }
            progress.elapsed = line.elapsed()
            try line.show(progress.text(columns: console.err.columns()))
        }
        guard let latest else { throw CancellationError() }
        return latest
    }
}
