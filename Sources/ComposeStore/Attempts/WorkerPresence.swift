import Postgres

/// The *presence* of a worker is an advisory lock that the session of its listener shares. PostgreSQL
/// drops the lock as soon as the worker's process ends, so other workers see it at once.
///
/// A lost presence alone takes nothing from a worker. It shortens the leases to ``grace``, and a worker
/// that only lost its connection renews them before they run out.
public struct WorkerPresence: Hashable, Sendable {
    /// The key of the lock. It is random, so a worker that starts again under the same name has another
    /// one.
    public let key: Int64

    /// The time that a worker whose presence is lost has for the renewal of its leases.
    public static let grace = Duration.milliseconds(2_500)

    public init() { key = .random(in: .min ... .max) }
}

extension ComposeStore {
    /// Shortens the leases and the delivery turns of workers whose presence is lost to
    /// ``WorkerPresence/grace``. A lease that is shorter already stays as it is. Work that a transaction
    /// holds at the moment is left out.
    public func shortenLeasesOfAbsentWorkers() async throws {
        for queue in [WorkQueue.composes, .buildSteps] { try await shortenLeasesOfAbsentWorkers(in: queue) }
        try await shortenDeliveryTurnsOfAbsentWorkers()
    }

    private func shortenLeasesOfAbsentWorkers(in queue: WorkQueue) async throws {
        // The lock that is tried is free again at the end of the statement. A worker that connects at this
        // moment waits for it.
        _ = try await pool.query(
            """
            WITH absent AS MATERIALIZED (
                SELECT presence FROM (
                    SELECT DISTINCT presence FROM attempts
                    WHERE ended_at IS NULL AND \(fragment: queue.attempted) IS NOT NULL AND presence IS NOT NULL OFFSET 0
                ) p WHERE pg_try_advisory_xact_lock(presence)
            )
            UPDATE \(fragment: queue.table) SET lease_expires_at = now() + \(fragment: interval(WorkerPresence.grace))
            WHERE id IN (
                SELECT q.id FROM \(fragment: queue.table) q JOIN attempts a ON a.lease_token = q.lease_token JOIN absent USING (presence)
                WHERE q.lease_expires_at > now() + \(fragment: interval(WorkerPresence.grace)) FOR UPDATE OF q SKIP LOCKED
            )
            """)
    }
}
