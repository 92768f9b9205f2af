import ComposeModel

/// An attempt limit is how long one attempt at a compose may take; its end stops the work.
struct AttemptLimit: Sendable {
    let length: Duration

    /// Runs `body` for as long as it may take. Throws a `ComposeFailure` if that is over, or what `body` throws.
    func hold(while body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                // This task is the clock of the other one, which cancels it at its end.
                try await Task.sleep(for: length)
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
