import ComposeModel
import Postgres

// Composes that a worker claimed and cannot make, because its configuration or its host is another than that of the frontend that took the
// request: as while a change of the configuration is rolled out.
extension ComposeStore {
    /// For how long a compose waits for a worker that can make it, while there is none.
    static let refusalPatience = Duration.seconds(600)

    /// Gives the lease back for good: another worker is to make the compose, and the attempt does not count as a failure.
    ///
    /// - Parameters:
    ///   - worker: does not claim the compose again.
    ///   - reason: why it cannot make it. Whole sentences.
    /// - Returns: `false` when the lease was lost already.
    public func refuse(_ lease: ComposeLease, by worker: String, reason: String) async throws -> Bool {
        let text = "It waits for a worker that can make it; the worker \(worker) cannot. \(reason)"
        return try await pool.withTransaction { connection in
            let rows = try await connection.query(
                """
                UPDATE composes c SET state = 0, lease_token = NULL, lease_expires_at = NULL, available_at = now(), state_reason = \(text),
                    refused_by = array_append(c.refused_by, \(worker)), refused_since = coalesce(c.refused_since, now())
                WHERE \(fragment: lease.guardCondition)
                """)
            guard rows.affectedRows == 1 else { return false }
            try await close(lease, as: "refused", on: connection)
            return true
        }
    }

    /// Makes composes failed that have waited for long, and that no worker which is alive can make.
    ///
    /// - Returns: their ids.
    public func failRefused() async throws -> [Int] {
        let failure = ComposeFailure(
            .internal, "No worker of this service can make this compose; its administrators can help. What the last one found: ")
        return try await pool.query(
            """
            UPDATE composes c SET state = 4, time_done = now(),
                time_to_expire = now() + make_interval(secs => (c.request->>'secondsToLive')::float8),
                state_reason = \(failure.message) || coalesce(c.state_reason, ''),
                failure = jsonb_set(\(PostgresJSON(failure)), '{message}', to_jsonb(\(failure.message) || coalesce(c.state_reason, '')))
            WHERE c.id IN (
                SELECT id FROM composes
                WHERE state = 0 AND refused_since < now() - \(fragment: interval(Self.refusalPatience))
                AND NOT EXISTS (
                    SELECT FROM workers w
                    WHERE w.seen_at > now() - \(fragment: interval(Self.workerSilence)) AND NOT w.name = ANY(composes.refused_by)
                )
                FOR UPDATE SKIP LOCKED
            ) RETURNING c.id
            """
        ).map { try $0.decode(Int.self, "id") }
    }

    /// Says that a worker starts: what it refused when it last ran, perhaps with another configuration, it may claim again.
    public func workerStarts(_ name: String) async throws {
        _ = try await pool.query(
            """
            UPDATE composes SET refused_by = array_remove(refused_by, \(name))
            WHERE state = 0 AND refused_since IS NOT NULL AND \(name) = ANY(refused_by)
            """)
    }
}
