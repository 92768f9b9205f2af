public import ComposeModel
public import Foundation
import Postgres

/// What became of an attempt that failed.
public enum FailureOutcome: Hashable, Sendable {
    /// The compose is `failed`.
    case failed
    /// It waits, and may run again after that time.
    case retried(after: Duration)
    /// It waits for signatures, until that time at the longest.
    case awaitsSignatures(until: Date)
    case leaseLost
}

extension ComposeStore {
    /// Makes a compose done.
    ///
    /// `publish` moves the finished directory to its public name. It runs inside the transaction, after the compose's row is locked and the lease
    /// found valid: no other worker can be given the compose while the directory moves. If the commit fails after the move, the compose is not
    /// done, and the next attempt replaces the directory. A transaction that does nothing for too long is ended by PostgreSQL, so that `publish`
    /// asks `isHeld` before it replaces a directory that is there: only the transaction that still holds the row may do that.
    ///
    /// - Parameters:
    ///   - composeID: What productmd's metadata calls the compose: `odcs-12-1-20261121.t.0`.
    ///   - packagesKey: That of the `ComposedPackages`; `nil` for what is made from no choice of packages.
    /// - Returns: `false` when the lease was lost; nothing was changed, and `publish` did not run.
    public func finish(
        _ lease: ComposeLease, composeID: String, packagesKey: String? = nil, packages: Int, bytes: Int, reason: String,
        publish: @Sendable (_ isHeld: () async throws -> Void) async throws -> Void
    ) async throws -> Bool {
        try await pool.withTransaction { connection in
            let id = lease.compose.id
            let made = try await connection.query(
                """
                INSERT INTO results (id, target_dir, specification_key, packages_key, packages, bytes, expires_at)
                SELECT c.id, \(lease.compose.request.targetDir), c.specification_key, \(packagesKey), \(packages), \(bytes),
                    now() + make_interval(secs => \(Double(lease.compose.request.secondsToLive)))
                FROM composes c WHERE \(fragment: lease.guardCondition) FOR UPDATE
                """)
            guard made.affectedRows == 1 else { return false }
            try await show(id, composeID: "\(composeID)", for: lease, reason: reason, on: connection)
            try await close(lease, as: "done", on: connection)
            try await publish { _ = try await connection.query("SELECT 1 AS held") }
            return true
        }
    }

    /// Records that the attempt failed: for good, with those that joined the compose; or, where trying again can help and tries are left,
    /// back to the queue after a delay; or, where packages lack signatures and the request would have it so, back to the queue to wait for them.
    public func fail(_ lease: ComposeLease, with failure: ComposeFailure, retries: RetryPolicy) async throws -> FailureOutcome {
        let failure = failure.bounded
        return try await pool.withTransaction { connection in
            let held = try await connection.query(
                "SELECT failures FROM composes c WHERE \(fragment: lease.guardCondition) FOR UPDATE")
            guard let failures = try held.first?.decode(Int.self, "failures") else { return .leaseLost }
            if failure.code == .packageUnsigned {
                return try await lacksSignatures(lease, failure, lookingAgainAfter: retries.signatureDelay, on: connection)
            }
            if failure.isTransient, failures + 1 < retries.attempts {
                let delay = retries.delay(afterFailures: failures + 1)
                let reason = "Attempt \(failures + 1) of \(retries.attempts) failed and is made again shortly: \(failure.message)"
                _ = try await connection.query(
                    """
                    UPDATE composes c SET state = 0, failures = c.failures + 1, state_reason = \(reason),
                        available_at = now() + \(fragment: interval(delay)), lease_token = NULL, lease_expires_at = NULL
                    WHERE \(fragment: lease.guardCondition)
                    """)
                try await close(lease, as: "retry", on: connection)
                return .retried(after: delay)
            }
            let tries = failure.isTransient && failures > 0 ? " (It was tried \(failures + 1) times.)" : ""
            try await end(lease.compose.id, with: failure, reason: failure.message + tries, on: connection)
            try await close(lease, as: "failed", on: connection)
            return .failed
        }
    }

    /// Makes a compose that is generating, and those that joined it, failed.
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

/// How often a compose is tried, and how long it rests in between.
public struct RetryPolicy: Hashable, Sendable {
    /// All attempts, the first included, that may end in a transient failure or with the worker lost.
    public var attempts: Int
    public var firstDelay: Duration
    /// How long a compose that waits for signatures rests before it looks for them again.
    public var signatureDelay: Duration

    public init(attempts: Int = 3, firstDelay: Duration = .seconds(5), signatureDelay: Duration = .seconds(60)) {
        self.attempts = attempts
        self.firstDelay = firstDelay
        self.signatureDelay = signatureDelay
    }

    /// Doubles with every failure; between half and all of it, so that what failed together does not come back together.
    func delay(afterFailures failures: Int) -> Duration {
        firstDelay * (1 << min(failures - 1, 10)) * Double.random(in: 0.5...1)
    }
}
