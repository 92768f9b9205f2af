import ComposeModel
import ComposeStore
import Postgres

/// The lease is somebody else's, or nobody's: whatever is under way must stop and write nothing.
struct LeaseLost: Error {}

/// Renews a lease while something runs under it, and stops that as soon as the lease is lost.
struct LeaseKeeper: Sendable {
    let store: ComposeStore
    let listener: PostgresListener
    let channel: String
    let length: Duration

    /// Runs `body` under the lease.
    ///
    /// - Throws: ``LeaseLost``, or what `body` throws.
    func keep(_ lease: ComposeLease, while body: @escaping @Sendable () async throws -> Void) async throws {
        let claimed = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask { try await renew(lease, since: claimed) }
            defer { group.cancelAll() }
            // The first to end decides: the body when it is through, the renewal only by throwing.
            try await group.next()
        }
    }

    private func renew(_ lease: ComposeLease, since claimed: ContinuousClock.Instant) async throws {
        // Trusted only until the moment before the last renewal was sent, plus its length, less a margin for clocks that differ in speed.
        let margin = length / 10
        var trustedUntil = claimed + length - margin
        let beats = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let notifications = listener.notifications(on: channel)
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                while true {
                    try await Task.sleep(for: length / 3)
                    beats.continuation.yield()
                }
            }
            group.addTask {
                // A compose that fails while this worker holds it was canceled by somebody: ask at once.
                for await notification in notifications {
                    guard let change = StateNotification(notification) else { continue }
                    if change.compose == lease.compose.id, change.state == .failed { beats.continuation.yield() }
                }
            }
            for await _ in beats.stream {
                let sent = ContinuousClock.now
                do {
                    guard try await store.heartbeat(lease, for: length) else { throw LeaseLost() }
                    trustedUntil = sent + length - margin
                } catch let error as PostgresError where error.isTransient {
                    guard ContinuousClock.now < trustedUntil else { throw LeaseLost() }
                }
            }
            try Task.checkCancellation()
        }
    }
}
