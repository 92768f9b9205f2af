import ComposeModel
public import ComposeStore
public import Postgres
import Retries

/// A lease keeper renews a lease while work runs under it. It stops the work as soon as the lease is
/// lost.
public struct LeaseKeeper: Sendable {
    let store: ComposeStore
    let listener: PostgresListener
    let channel: String
    let length: Duration

    /// - Parameter length: The length to which a renewal extends a lease.
    public init(store: ComposeStore, listener: PostgresListener, channel: String, length: Duration) {
        self.store = store
        self.listener = listener
        self.channel = channel
        self.length = length
    }

    /// Runs `body` under the lease, and returns its result.
    ///
    /// - Parameter deadline: The deadline of the lease. Each renewal moves it.
    /// - Throws: ``LeaseLost``, or the error that `body` throws.
    public func keep<Value: Sendable>(
        _ lease: some Lease, until deadline: LeaseDeadline, while body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await renew(lease, until: deadline)
                throw CancellationError()
            }
            defer { group.cancelAll() }
            // The first task to end decides. The body ends when it is done. The renewal ends only by throwing.
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }

    private func renew<WorkLease: Lease>(_ lease: WorkLease, until deadline: LeaseDeadline) async throws {
        let beats = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        // Work that fails while this worker holds it was canceled by a user.
        let notifications = listener.notifications(on: channel) { notification in
            StateNotification(notification) == StateNotification(queue: WorkLease.queue, state: .failed, id: lease.id)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask {
                while true {
                    try await longSleep(for: min(length / 3, WorkerPresence.grace * 0.8))
                    beats.continuation.yield()
                }
            }
            group.addTask {
                // The lease is checked at once.
                for await notification in notifications where notification != .reconnected { beats.continuation.yield() }
            }
            for await _ in beats.stream {
                let sent = ContinuousClock.now
                do {
                    guard try await store.heartbeat(lease, for: length) else { throw LeaseLost() }
                    deadline.renewed(asked: sent)
                } catch let error as PostgresError where error.isTransient {
                    deadline.doubted()
                    if deadline.hasRunOut { throw LeaseLost() }
                }
            }
            try Task.checkCancellation()
        }
    }
}
