import ComposeModel
import ComposeStore
import Postgres

/// A lease keeper renews a lease while work runs under it. It stops the work as soon as the lease is
/// lost.
struct LeaseKeeper: Sendable {
    let store: ComposeStore
    let listener: PostgresListener
    let channel: String
    let length: Duration

    /// Runs `body` under the lease.
    ///
    /// - Parameter deadline: The deadline of the lease. Each renewal moves it.
    /// - Throws: ``LeaseLost``, or the error that `body` throws.
    func keep(
        _ lease: ComposeLease, until deadline: LeaseDeadline, while body: @escaping @Sendable () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask { try await renew(lease, until: deadline) }
            defer { group.cancelAll() }
            // The first task to end decides. The body ends when it is done. The renewal ends only by throwing.
            try await group.next()
        }
    }

    private func renew(_ lease: ComposeLease, until deadline: LeaseDeadline) async throws {
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
                // A compose that fails while this worker holds it was canceled by a user. So the lease is checked at
                // once.
                for await notification in notifications {
                    guard let change = StateNotification(notification) else { continue }
                    if change.compose == lease.compose.id, change.state == .failed { beats.continuation.yield() }
                }
            }
            for await _ in beats.stream {
                let sent = ContinuousClock.now
                do {
                    guard try await store.heartbeat(lease, for: length) else { throw LeaseLost() }
                    deadline.renewed(asked: sent)
                } catch let error as PostgresError where error.isTransient {
                    if deadline.isOver { throw LeaseLost() }
                }
            }
            try Task.checkCancellation()
        }
    }
}
