import ComposeModel
import Postgres

/// A compose that was taken from a worker whose lease ran out.
public struct ReapedCompose: Hashable, Sendable {
    public let id: Int
    /// Whether the compose waits again. Otherwise it has failed, because its workers were lost too often.
    public let isRequeued: Bool
}

extension ComposeStore {
    /// Takes back every compose whose lease ran out. Any worker may call this at any time, but only one at
    /// a time does the work.
    public func reap(retries: RetryPolicy) async throws -> [ReapedCompose] {
        guard try await hasLostWork(in: .composes) else { return [] }
        defer { newEvents.report() }
        return try await pool.withTransaction { connection in
            let lost = try await takeBack(from: .composes, retries: retries, on: connection)
            for compose in lost where !compose.isRequeued {
                let failure = ComposeFailure(
                    .workerLost,
                    "\(compose.attempts) Its log may show the step at which it stopped."
                )
                try await end(compose.id, with: failure, reason: failure.message, on: connection)
            }
            return lost.map { ReapedCompose(id: $0.id, isRequeued: $0.isRequeued) }
        }
    }

    /// Returns whether leases ran out. This is one short statement, because it is asked often.
    func hasLostWork(in queue: WorkQueue) async throws -> Bool {
        let rows = try await pool.query(
            "SELECT EXISTS (SELECT FROM \(fragment: queue.table) WHERE state = 1 AND lease_expires_at < now()) AS lost")
        return try rows.first?.decode(Bool.self, "lost") ?? false
    }

    /// Ends the attempts whose lease ran out, and returns their work to the queue if it may be tried again.
    /// The caller must end the rest of the work in the same transaction.
    ///
    /// One caller at a time does this. For the others nothing is lost.
    ///
    /// - Returns: The work, each with a sentence about the attempts at it.
    func takeBack(
        from queue: WorkQueue, retries: RetryPolicy, on connection: PostgresConnection
    ) async throws -> [(id: Int, isRequeued: Bool, attempts: String)] {
        let turn = try await connection.query(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' reaper', 0)) AS mine")
        guard try turn[turn.startIndex].decode(Bool.self, "mine") else { return [] }
        let lost = try await connection.query(
            """
            SELECT id, failures + 1 < \(retries.attempts) AS is_requeued, failures + 1 AS attempts, 1 + (
                SELECT count(*) FROM attempts a WHERE a.\(fragment: queue.attempted) = q.id AND a.outcome = 'lost'
            ) AS losses FROM \(fragment: queue.table) q
            WHERE state = 1 AND lease_expires_at < now() ORDER BY id FOR UPDATE SKIP LOCKED
            """
        ).map { row in
            let (attempts, losses) = (try row.decode(Int.self, "attempts"), try row.decode(Int.self, "losses"))
            let sentence =
                losses < attempts
                ? "The worker was lost in the last of \(attempts) attempts, and others had failed before."
                : "The worker was lost each of the \(attempts) times that this was tried."
            return (id: try row.decode(Int.self, "id"), isRequeued: try row.decode(Bool.self, "is_requeued"), attempts: sentence)
        }
        guard !lost.isEmpty else { return [] }

        _ = try await connection.query(
            """
            UPDATE attempts SET ended_at = now(), outcome = 'lost'
            WHERE \(fragment: queue.attempted) = ANY(\(lost.map(\.id))) AND ended_at IS NULL
            """)
        _ = try await connection.query(
            """
            UPDATE \(fragment: queue.table) SET state = 0, failures = failures + 1, available_at = now(),
                lease_token = NULL, lease_expires_at = NULL, state_reason = 'Its worker was lost. Another worker tries again.'
            WHERE id = ANY(\(lost.filter(\.isRequeued).map(\.id)))
            """)
        return lost
    }
}
