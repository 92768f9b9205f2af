public import ComposeModel
public import Foundation
import Postgres

/// A worker's right to one compose for a limited time. Every write about the compose must show its
/// token.
public struct ComposeLease: Hashable, Sendable {
    /// The compose as it was when the worker claimed it.
    public let compose: Compose
    public let token: UUID
}

extension ComposeStore {
    /// Claims the compose that has waited longest and opens an attempt at it, in one statement.
    ///
    /// - Parameters:
    ///   - worker: The name of the worker in the attempt's record.
    ///   - length: The length of the lease if it is not renewed.
    /// - Returns: `nil` if no compose waits that may run now and that this worker has not refused.
    public func claim(by worker: String, for length: Duration) async throws -> ComposeLease? {
        let rows = try await pool.query(
            """
            WITH claimed AS (
                UPDATE composes c SET state = 1, attempts = c.attempts + 1, time_started = coalesce(c.time_started, now()),
                    lease_token = gen_random_uuid(), lease_expires_at = now() + \(fragment: interval(length)), caller = NULL
                WHERE c.id = (
                    SELECT id FROM composes WHERE state = 0 AND available_at <= now()
                        AND (refused_by IS NULL OR NOT \(worker) = ANY(refused_by))
                    ORDER BY available_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
                )
                RETURNING c.*
            ), attempt AS (
                INSERT INTO attempts (compose_id, number, lease_token, worker)
                SELECT id, attempts, lease_token, \(worker) FROM claimed
            )
            SELECT \(fragment: Compose.columns), c.lease_token FROM claimed c
            """)
        return try rows.first.map { ComposeLease(compose: try Compose($0), token: try $0.decode(UUID.self, "lease_token")) }
    }

    /// Returns whether a compose waits that may run now and that the worker has not refused.
    public func hasWaiting(for worker: String) async throws -> Bool {
        let rows = try await pool.query(
            """
            SELECT EXISTS (
                SELECT FROM composes WHERE state = 0 AND available_at <= now() AND (refused_by IS NULL OR NOT \(worker) = ANY(refused_by))
            ) AS waits
            """)
        return try rows.first?.decode(Bool.self, "waits") ?? false
    }

    /// Renews the lease.
    ///
    /// - Returns: `false` if the lease is lost: it ran out and was reaped, or a person canceled the
    ///   compose.
    public func heartbeat(_ lease: ComposeLease, for length: Duration) async throws -> Bool {
        let rows = try await pool.query(
            """
            UPDATE composes c SET lease_expires_at = now() + \(fragment: interval(length)) WHERE \(fragment: lease.guardCondition)
            """)
        return rows.affectedRows == 1
    }

    /// Gives the lease back, because the worker stops or because the compose gives way to others. The
    /// attempt does not count as a failure.
    ///
    /// - Parameters:
    ///   - delay: The time that the compose rests.
    ///   - reason: The new reason of the compose's state. If it is `nil`, the old reason stays.
    /// - Returns: `false` if the lease was lost already.
    public func release(
        _ lease: ComposeLease, after delay: Duration = .zero, because reason: String? = nil
    ) async throws -> Bool {
        try await pool.withTransaction { connection in
            let rows = try await connection.query(
                """
                UPDATE composes c SET state = 0, lease_token = NULL, lease_expires_at = NULL,
                    available_at = now() + \(fragment: interval(delay)), state_reason = coalesce(\(reason), c.state_reason)
                WHERE \(fragment: lease.guardCondition)
                """)
            guard rows.affectedRows == 1 else { return false }
            try await close(lease, as: "released", on: connection)
            return true
        }
    }

    /// Delays the waiting composes of one origin if other composes wait as well, so that the others come
    /// first. The delayed composes keep their order.
    ///
    /// - Parameters:
    ///   - origin: The origin of their repositories. Example: `https://mirror.example.org`.
    ///   - delay: The length of the delay.
    public func rest(repositoriesAt origin: String, for delay: Duration) async throws {
        let isOfOrigin: SQL = "starts_with(c.source, \(origin + "/"))"
        _ = try await pool.query(
            """
            UPDATE composes SET available_at = now() + \(fragment: interval(delay)) WHERE id IN (
                SELECT c.id FROM composes c WHERE c.state = 0 AND c.available_at <= now() AND \(fragment: isOfOrigin)
                AND EXISTS (
                    SELECT FROM composes c WHERE c.state = 0 AND c.available_at <= now() AND NOT \(fragment: isOfOrigin)
                )
                ORDER BY c.id FOR UPDATE SKIP LOCKED
            )
            """)
    }

    /// Ends the attempt that the lease belongs to.
    func close(_ lease: ComposeLease, as outcome: String, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "UPDATE attempts SET ended_at = now(), outcome = \(outcome) WHERE lease_token = \(lease.token) AND ended_at IS NULL")
    }
}

extension ComposeLease {
    /// A condition that holds for the row of `composes AS c` only while this lease holds it. The condition
    /// ignores the time, because a lease that ran out but was not reaped has no other holder yet.
    var guardCondition: SQL { "c.id = \(compose.id) AND c.state = 1 AND c.lease_token = \(token)" }
}
