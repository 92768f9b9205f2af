public import ComposeModel
public import Foundation
import Postgres
import Retries

/// The outcome of an attempt that failed.
public enum FailureOutcome: Hashable, Sendable {
    /// The compose or step is `failed`.
    case failed
    /// The compose or step waits, and may run again after this time.
    case retried(after: Duration)
    /// The compose waits for signatures, at most until this time.
    case awaitsSignatures(until: Date)
    case leaseLost
}

extension ComposeStore {
    /// Moves a compose to the state `done` and publishes its directory.
    ///
    /// `publish` moves the finished directory to its public name. It runs inside the transaction, when the
    /// compose's row is locked and the lease was found valid. No other worker can get the compose while the
    /// directory moves. If the commit fails after the move, the compose is not done, and the next attempt
    /// replaces the directory.
    ///
    /// PostgreSQL ends a transaction that is idle for too long. `publish` therefore calls `isHeld` before
    /// it replaces an existing directory: only the transaction that still holds the row may replace it.
    /// `isHeld` throws if the transaction has ended.
    ///
    /// - Parameters:
    ///   - specification: The inputs that the compose was settled with. If the database has lost them in a
    ///     crash, the compose is not done.
    ///   - composeID: The compose's id in the metadata of productmd. Example: `odcs-12-1-20261121.t.0`.
    ///   - packagesKey: The key of the `ComposedPackages`, or `nil` if the result is not made from a choice
    ///     of packages.
    /// - Returns: `false` if the lease or the inputs were lost. Nothing was changed then, and `publish` did
    ///   not run.
    public func finish(
        _ lease: ComposeLease, as specification: ComposeSpecification? = nil, composeID: String, packagesKey: String? = nil,
        packages: Int, bytes: Int, reason: String, publish: @Sendable (_ isHeld: () async throws -> Void) async throws -> Void
    ) async throws -> Bool {
        defer { newEvents.report() }
        let key = try specification?.key()
        return try await pool.withTransaction { connection in
            let id = lease.compose.id
            let made = try await connection.query(
                """
                INSERT INTO results (id, target_dir, specification_key, packages_key, packages, bytes, expires_at)
                SELECT c.id, \(lease.compose.request.targetDir), c.specification_key, \(packagesKey), \(packages), \(bytes),
                    now() + make_interval(secs => \(Double(lease.compose.request.secondsToLive)))
                FROM composes c
                WHERE \(fragment: lease.guardCondition) AND c.specification_key IS NOT DISTINCT FROM coalesce(\(key), c.specification_key)
                FOR UPDATE
                """)
            guard made.affectedRows == 1 else { return false }
            try await show(id, composeID: "\(composeID)", for: lease, reason: reason, on: connection)
            try await close(lease, as: "done", on: connection)
            try await publish { _ = try await connection.query("SELECT 1 AS held") }
            return true
        }
    }

    /// Records that the attempt failed. The first of these cases that applies decides:
    ///
    /// - Packages lack signatures: the compose returns to the queue if its request waits for signatures.
    ///   Otherwise it fails.
    /// - Another attempt can help, and attempts are left: the compose returns to the queue and rests for a
    ///   while.
    /// - In all other cases the compose fails for good, and so do those that joined it.
    public func fail(_ lease: ComposeLease, with failure: ComposeFailure, retries: RetryPolicy) async throws -> FailureOutcome {
        defer { newEvents.report() }
        let failure = failure.bounded
        return try await pool.withTransaction { connection in
            guard let failures = try await failures(under: lease, on: connection) else { return .leaseLost }
            if failure.code == .packageUnsigned {
                return try await lacksSignatures(lease, failure, lookingAgainAfter: retries.signatureDelay, on: connection)
            }
            if failure.isTransient,
                let delay = try await retry(lease, after: failure.message, failures: failures, retries: retries, on: connection)
            {
                return .retried(after: delay)
            }
            let tries = failure.isTransient && failures > 0 ? " (It was tried \(failures + 1) times.)" : ""
            try await end(lease.compose.id, with: failure, reason: failure.message + tries, on: connection)
            try await close(lease, as: "failed", on: connection)
            return .failed
        }
    }

    /// Moves a generating compose, and those that joined it, to the state `failed`.
    func end(_ id: Int, with failure: ComposeFailure, reason: String, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            UPDATE composes SET state = 4, state_reason = \(reason), failure = \(PostgresJSON(failure)), time_done = now(),
                time_to_expire = now() + make_interval(secs => (request->>'secondsToLive')::float8),
                joined_to = NULL, lease_token = NULL, lease_expires_at = NULL
            WHERE state = 1 AND (id = \(id) OR joined_to = \(id))
            """)
    }
}
