import ComposeClient
import ComposeModel
import ForeignText

/// Follows a watch until it has ended. It prints the newest compose, and each later one when it is
/// ready or has failed.
///
/// Outcomes of composes go to stdout, and messages to stderr. In the output for people, the watch
/// itself goes to stdout too.
struct FollowedWatch: Sendable {
    /// The watch at the beginning.
    let watch: WatchDocument
    let client: ComposeClient
    let connection: ConnectionOptions
    let console: Console

    func untilEnded() async throws {
        if !connection.json { try connection.print(watch, or: Watches.table(watch).text()) }
        guard try await console.unlessInterrupted({ try await follow() }) != nil else {
            throw CommandFailure(
                .interrupted,
                "no longer following, but watch \(watch.id) goes on; 'odcs watches \(watch.id) --follow' picks it up, 'odcs unwatch \(watch.id)' ends it"
            )
        }
    }

    private func follow() async throws {
        // People have seen the problem in the table.
        var problem = connection.json ? nil : watch.problem
        var shown: Int?
        for try await watch in client.changes(ofWatch: watch.id) {
            if let text = watch.problem, text != problem { try say(text) }
            problem = watch.problem
            guard let latest = watch.latestCompose, latest.id != shown else { continue }
            shown = latest.id
            try say("compose \(latest.id)")
            var compose: ComposeDocument?
            for try await change in client.wait(latest.id) { compose = change }
            if let compose { try connection.print(compose, or: Outcome(compose).text) }
        }
        try say("it has ended")
    }

    private func say(_ text: String) throws {
        try console.err.line("watch \(watch.id): \(text)".printable())
    }
}
