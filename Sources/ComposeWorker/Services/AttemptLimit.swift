import ComposeModel
import Retries

/// An attempt limit is the longest time that one attempt at a compose may take. When it is reached, the
/// work is stopped.
struct AttemptLimit: Sendable {
    let length: Duration

    /// Runs `body` for as long as it may take. Throws `.limitExceeded` if the limit is reached, or the
    /// error that `body` throws.
    func hold(while body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                // This task is the clock of the other task, and is canceled when the other task ends.
                try await longSleep(for: length)
                throw ComposeFailure(
                    .limitExceeded,
                    "The compose was not complete after \(length.components.seconds) seconds, the most that this service takes for one "
                        + "(worker.compose_seconds). Fewer packages, or a source that answers faster, may help.")
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }
}
