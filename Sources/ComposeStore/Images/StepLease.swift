public import Foundation
public import ImageModel
import Postgres

/// A worker's right to one step of a build for a limited time.
public struct StepLease: Lease {
    public static var queue: WorkQueue { .buildSteps }

    /// The step as it was when the worker claimed it.
    public let step: Step
    public let token: UUID

    public var id: Int { step.id }
}

/// The kinds of steps that a worker can do.
public struct StepOffer: Hashable, Sendable {
    /// The platforms that the worker can build.
    public var platforms: [Platform]
    /// Whether manifest lists are offered. Every worker can write them.
    public var lists = true
    /// The labels of the worker. Example: `["host": "rhel"]`.
    public var labels: [String: String]

    public init(platforms: [Platform], labels: [String: String] = [:]) {
        self.platforms = platforms
        self.labels = labels
    }

    /// The same without any platform.
    public var withoutPlatforms: StepOffer {
        var offer = self
        offer.platforms = []
        return offer
    }
}

extension ComposeStore {
    /// Claims the step with the greatest priority, and opens an attempt at it. The owners of steps with the
    /// same priority take turns (``FairTurns``). Of one owner, the step that waited longest comes first. A
    /// step that waits for another build, or for platforms, is not claimed.
    ///
    /// - Parameter most: The number of builds of one rebuild that are made at a time. `nil` for any number.
    /// - Returns: `nil` if no step waits that the worker can do.
    public func claimStep(
        by worker: String, present presence: WorkerPresence? = nil, offering offer: StepOffer, for length: Duration,
        buildsOfRebuild most: Int? = nil
    ) async throws -> StepLease? {
        let turns = FairTurns(queue: .buildSteps)
        let row = try await pool.withTransaction { connection in
            // One claim after the other. Otherwise two workers could each begin the last build that a rebuild may
            // have at a time.
            _ = try await connection.query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' step claims', 0))")
            let statement = claimStatement(
                """
                WITH busy AS MATERIALIZED (
                    SELECT rebuild_id FROM builds WHERE state = 1 AND rebuild_id IS NOT NULL
                    GROUP BY rebuild_id HAVING count(*) >= \(most ?? .max)
                )
                SELECT s.id FROM build_steps s JOIN builds b ON b.id = s.build_id LEFT JOIN owners o ON o.owner = b.owner
                WHERE s.state = 0 AND s.blocked_by = 0 AND s.available_at <= now()
                    AND CASE WHEN s.platform IS NULL THEN \(offer.lists) ELSE s.platform = ANY(\(offer.platforms.map(\.description))) END
                    AND s.requires <@ \(PostgresJSON(offer.labels))
                    AND (b.state <> 0 OR NOT EXISTS (SELECT FROM busy WHERE busy.rebuild_id = b.rebuild_id))
                ORDER BY s.priority DESC, \(fragment: turns.start), s.available_at, s.id LIMIT 1 FOR UPDATE OF s SKIP LOCKED
                """,
                from: .buildSteps, by: worker, present: presence, for: length, setting: "state_reason = NULL",
                returning: "to_jsonb(c) AS step")
            let row = try await connection.query(statement).first
            if let row {
                let step = try row.decode(PostgresJSON<StepRow>.self, "step").value
                let owner = try await connection.query("SELECT owner FROM builds WHERE id = \(step.build_id)")
                try await turns.advance(try owner[owner.startIndex].decode(String.self, "owner"), on: connection)
            }
            return row
        }
        return try row.map { row in
            StepLease(
                step: try Step(row.decode(PostgresJSON<StepRow>.self, "step").value), token: try row.decode(UUID.self, "lease_token"))
        }
    }

    /// Records that a step is done. The last platform lets a worker claim the manifest list. The manifest
    /// list ends the build, and builds that wait for it can begin.
    ///
    /// - Parameters:
    ///   - digest: The digest of the manifest or manifest list, as the registry has it.
    ///   - tags: The tags that show the manifest list now. None for a platform.
    /// - Returns: `false` if the lease was lost. Nothing was changed then.
    public func finish(_ lease: StepLease, digest: ImageDigest, tags: [ImageTag] = []) async throws -> Bool {
        try await changingBuilds { connection in
            let done = try await connection.query(
                """
                UPDATE build_steps SET state = 2, digest = \(digest.description), state_reason = NULL,
                    lease_token = NULL, lease_expires_at = NULL
                WHERE \(fragment: lease.guardCondition)
                """)
            guard done.affectedRows == 1 else { return false }
            try await close(lease, as: "done", on: connection)
            if lease.step.platform == nil {
                try await complete(lease.step.build, digest: digest, tags: tags, on: connection)
            } else {
                _ = try await connection.query(
                    "UPDATE build_steps SET blocked_by = blocked_by - 1 WHERE build_id = \(lease.step.build) AND platform IS NULL")
            }
            return true
        }
    }

    /// Records that an attempt at a step failed. If another attempt can help and attempts are left, the
    /// step returns to the queue and rests for a while. Otherwise the step fails for good, and so do its
    /// build and the builds on top of it.
    public func fail(_ lease: StepLease, with failure: BuildFailure, retries: RetryPolicy) async throws -> FailureOutcome {
        try await changingBuilds { connection in
            guard let failures = try await failures(under: lease, on: connection) else { return .leaseLost }
            if failure.isTransient,
                let delay = try await retry(lease, after: failure.message, failures: failures, retries: retries, on: connection)
            {
                return .retried(after: delay)
            }
            try await close(lease, as: "failed", on: connection)
            try await end(lease.step.id, with: failure, on: connection)
            return .failed
        }
    }
}
