public import Foundation
import Postgres
import Retries

/// A *lease* is a worker's right to one piece of work for a limited time. Every write about the work
/// must show the lease's token.
public protocol Lease: Hashable, Sendable {
    static var queue: WorkQueue { get }
    /// The id of the piece of work.
    var id: Int { get }
    var token: UUID { get }
    /// Whether other work may have waited in the queue when this work was taken.
    var othersWait: Bool { get }
}

extension Lease {
    public var othersWait: Bool { true }
}

/// A *work queue* is a table whose rows wait for a worker. These columns mean the same in each:
/// `state`, `state_reason`, `available_at`, `attempts`, `failures`, `lease_token` and
/// `lease_expires_at`. The state is 0 while the work waits, and 1 while it is held.
public enum WorkQueue: Hashable, Sendable {
    case composes
    case buildSteps

    var table: SQL {
        switch self {
        case .composes: "composes"
        case .buildSteps: "build_steps"
        }
    }

    /// The column of `attempts` that names a row of the table.
    var attempted: SQL {
        switch self {
        case .composes: "compose_id"
        case .buildSteps: "step_id"
        }
    }
}

extension Lease {
    /// A condition that holds for the row of the queue's table only while this lease holds it. The
    /// condition ignores the time, because a lease that ran out but was not reaped has no other holder yet.
    var guardCondition: SQL { "id = \(id) AND state = 1 AND lease_token = \(token)" }
}

extension ComposeStore {
    /// Takes a piece of work from its queue and opens an attempt at it, in one statement.
    ///
    /// - Parameters:
    ///   - next: A query for the id of the row to take. It locks the row and skips locked rows.
    ///   - presence: The lock by which others see that the worker is alive, if it has one.
    ///   - length: The length of the lease if it is not renewed.
    ///   - changes: The assignments to other columns of the row.
    ///   - columns: The columns of the result, which are those of the row `c`.
    /// - Returns: `nil` if the query finds no row.
    func claim(
        _ next: SQL, from queue: WorkQueue, by worker: String, present presence: WorkerPresence?, for length: Duration,
        setting changes: SQL, returning columns: SQL
    ) async throws -> PostgresRow? {
        try await pool.query(
            claimStatement(next, from: queue, by: worker, present: presence, for: length, setting: changes, returning: columns)
        ).first
    }

    /// Returns the statement that takes a piece of work, for a transaction of the caller.
    ///
    /// - Parameters:
    ///   - tables: Common tables that the query for the id uses, with a comma after each.
    ///   - more: Common tables that change something besides, with a comma before each. They see the row that
    ///     was taken as `claimed`.
    func claimStatement(
        _ next: SQL, among tables: SQL = "", from queue: WorkQueue, by worker: String, present presence: WorkerPresence?,
        for length: Duration, setting changes: SQL, and more: SQL = "", returning columns: SQL
    ) -> SQL {
        """
        WITH \(fragment: tables) claimed AS (
            UPDATE \(fragment: queue.table) c SET state = 1, attempts = c.attempts + 1, lease_token = gen_random_uuid(),
                lease_expires_at = now() + \(fragment: interval(length)), \(fragment: changes)
            WHERE c.id = (\(fragment: next)) AND c.state = 0
            RETURNING c.*
        ), attempt AS (
            INSERT INTO attempts (\(fragment: queue.attempted), number, lease_token, worker, presence)
            SELECT id, attempts, lease_token, \(worker), \(presence?.key) FROM claimed
        ) \(fragment: more)
        SELECT \(fragment: columns), c.lease_token FROM claimed c
        """
    }

    /// Renews the lease.
    ///
    /// - Returns: `false` if the lease is lost: it ran out and was reaped, or a person canceled the work.
    public func heartbeat<WorkLease: Lease>(_ lease: WorkLease, for length: Duration) async throws -> Bool {
        let rows = try await pool.query(
            """
            UPDATE \(fragment: WorkLease.queue.table) SET lease_expires_at = now() + \(fragment: interval(length))
            WHERE \(fragment: lease.guardCondition)
            """)
        return rows.affectedRows == 1
    }

    /// Gives the lease back, because the worker stops or because the work gives way to other work. The
    /// attempt does not count as a failure.
    ///
    /// - Parameters:
    ///   - delay: The time that the work rests.
    ///   - reason: The new reason of the work's state. If it is `nil`, the old reason stays.
    /// - Returns: `false` if the lease was lost already.
    public func release(_ lease: some Lease, after delay: Duration = .zero, because reason: String? = nil) async throws -> Bool {
        defer { newEvents.report() }
        return try await pool.withTransaction { try await requeue(lease, as: "released", after: delay, because: reason, on: $0) }
    }

    /// Locks the work and returns how many of its attempts have failed. Returns `nil` if the lease was
    /// lost.
    func failures<WorkLease: Lease>(under lease: WorkLease, on connection: PostgresConnection) async throws -> Int? {
        try await connection.query(
            "SELECT failures FROM \(fragment: WorkLease.queue.table) WHERE \(fragment: lease.guardCondition) FOR UPDATE"
        ).first?.decode(Int.self, "failures")
    }

    /// Returns the work to its queue after a transient failure, if it may be tried again.
    ///
    /// - Parameters:
    ///   - message: The failure, for people.
    ///   - failures: The number of attempts that failed before this one.
    /// - Returns: The time until the next attempt, or `nil` if no attempt is left.
    func retry(
        _ lease: some Lease, after message: String, failures: Int, retries: RetryPolicy, on connection: PostgresConnection
    ) async throws -> Duration? {
        guard failures + 1 < retries.attempts else { return nil }
        let delay = retries.backoff.pause(after: failures + 1)
        let reason = "Attempt \(failures + 1) of \(retries.attempts) failed and will be repeated shortly: \(message)"
        _ = try await requeue(lease, as: "retry", failed: true, after: delay, because: reason, on: connection)
        return delay
    }

    /// Returns the work to its queue. Returns `false` if the lease was lost.
    func requeue<WorkLease: Lease>(
        _ lease: WorkLease, as outcome: String, failed: Bool = false, after delay: Duration, because reason: String?,
        on connection: PostgresConnection
    ) async throws -> Bool {
        let rows = try await connection.query(
            """
            UPDATE \(fragment: WorkLease.queue.table) SET state = 0, failures = failures + \(failed ? 1 : 0),
                available_at = now() + \(fragment: interval(delay)), state_reason = coalesce(\(reason), state_reason),
                lease_token = NULL, lease_expires_at = NULL
            WHERE \(fragment: lease.guardCondition)
            """)
        guard rows.affectedRows == 1 else { return false }
        try await close(lease, as: outcome, on: connection)
        return true
    }

    /// Ends the attempt that the lease belongs to.
    func close(_ lease: some Lease, as outcome: String, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            "UPDATE attempts SET ended_at = now(), outcome = \(outcome) WHERE lease_token = \(lease.token) AND ended_at IS NULL")
    }
}
