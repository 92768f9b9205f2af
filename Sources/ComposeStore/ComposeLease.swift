public import ComposeModel
public import Foundation
import Postgres

/// A worker's right to one compose for a while: every write about the compose must show its token.
public struct ComposeLease: Hashable, Sendable {
    /// The compose as it was when it was claimed.
    public let compose: Compose
    public let token: UUID
}

extension ComposeStore {
    /// Takes the compose that has waited longest and opens an attempt at it, in one statement.
    ///
    /// - Parameters:
    ///   - worker: The name by which the attempt is recorded.
    ///   - length: How long the lease lasts unless it is renewed.
    /// - Returns: `nil` when nothing waits that may run now and that this worker has not refused.
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

    /// Whether a compose waits that may run now and that the worker has not refused.
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
    /// - Returns: `false` when it is lost: it ran out and was reaped, or a person canceled the compose.
    public func heartbeat(_ lease: ComposeLease, for length: Duration) async throws -> Bool {
        let rows = try await pool.query(
            """
            UPDATE composes c SET lease_expires_at = now() + \(fragment: interval(length)) WHERE \(fragment: lease.guardCondition)
            """)
        return rows.affectedRows == 1
    }

    /// Gives the lease back because the worker stops, or because the compose gives way to others; the attempt does not count.
    ///
    /// - Parameters:
    ///   - delay: For how long the compose rests.
    ///   - reason: Is shown as the reason of its state, if there is one.
    /// - Returns: `false` when it was lost already.
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

    /// Lets the composes of one origin that wait rest, if others wait as well: these come first then. The order among them stays.
    ///
    /// - Parameters:
    ///   - origin: Where their repositories are, for example `https://mirror.example.org`.
    ///   - delay: For how long they rest.
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
    /// True of the row of `composes AS c` only while this lease holds it. The time is not part of it: a lease that ran out but was not
    /// reaped is nobody else's yet.
    var guardCondition: SQL { "c.id = \(compose.id) AND c.state = 1 AND c.lease_token = \(token)" }
}

func interval(_ duration: Duration) -> SQL {
    "make_interval(secs => \(duration / .seconds(1)))"
}
