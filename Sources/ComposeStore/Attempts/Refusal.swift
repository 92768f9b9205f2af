import ComposeModel
import Postgres

// A worker refuses a compose that it claimed and cannot make. The reason is a difference between its
// configuration or host and that of the frontend that took the request. This happens, for example,
// while a change of the configuration is rolled out.
extension ComposeStore {
    /// The time that a compose waits for a worker that can make it, if no live worker can.
    static let refusalPatience = Duration.seconds(600)

    /// Gives the lease back, so that another worker can make the compose. The attempt does not count as a
    /// failure.
    ///
    /// - Parameters:
    ///   - worker: The worker that refuses. It does not claim the compose again.
    ///   - reason: The reason why the worker cannot make the compose, in whole sentences.
    /// - Returns: `false` if the lease was lost already.
    public func refuse(_ lease: ComposeLease, by worker: String, reason: String) async throws -> Bool {
        defer { newEvents.report() }
        let text = "It waits for a worker that can make it. The worker \(worker) cannot. \(reason)"
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

    /// Moves composes to the state `failed` that were first refused longer ago than ``refusalPatience`` and
    /// that no live worker can make.
    ///
    /// - Returns: The ids of the composes.
    public func failRefused() async throws -> [Int] {
        defer { newEvents.report() }
        let failure = ComposeFailure(
            .internal, "No worker of this service can make this compose. The operator of this service can help. The last worker reported: ")
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

    /// Records that a worker starts. It may claim the composes again that it refused when it last ran,
    /// since its configuration may have changed.
    public func workerStarts(_ name: String) async throws {
        _ = try await pool.query(
            """
            UPDATE composes SET refused_by = array_remove(refused_by, \(name))
            WHERE state = 0 AND refused_since IS NOT NULL AND \(name) = ANY(refused_by)
            """)
    }
}
