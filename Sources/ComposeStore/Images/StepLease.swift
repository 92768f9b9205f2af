public import Foundation
public import ImageModel
public import Postgres

/// A worker's right to one step of a build for a limited time.
public struct StepLease: Lease {
    public static var queue: WorkQueue { .buildSteps }

    /// The step as it was when the worker claimed it.
    public let step: Step
    public let token: UUID
    public let othersWait: Bool

    public var id: Int { step.id }
}

/// The kinds of steps that a worker can do.
public struct StepOffer: Hashable, Sendable {
    /// The platforms that the worker can build with its own node.
    public var platforms: [Platform]
    /// Those of ``platforms`` whose programs an emulator runs.
    public var emulated: [Platform] = []
    /// Whether the worker can build with the nodes of farms.
    public var nodes = false
    /// Whether manifest lists are offered. Every worker can write them.
    public var lists = true
    /// The labels of the worker. Example: `["host": "rhel"]`.
    public var labels: [String: String]

    public init(platforms: [Platform], labels: [String: String] = [:]) {
        self.platforms = platforms
        self.labels = labels
    }

    /// The same without the worker's own node.
    public var withoutOwnNode: StepOffer {
        var offer = self
        offer.platforms = []
        offer.emulated = []
        return offer
    }

    /// The same without any platform.
    public var withoutPlatforms: StepOffer {
        var offer = withoutOwnNode
        offer.nodes = false
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
    @PostgresThread public func claimStep(
        by worker: String, present presence: WorkerPresence? = nil, offering offer: StepOffer, for length: Duration,
        buildsOfRebuild most: Int? = nil
    ) async throws -> StepLease? {
        // Most looks find nothing, and then take no lock.
        guard try await hasStep(for: offer) else { return nil }
        let turns = FairTurns(queue: .buildSteps)
        let tables: SQL = """
            busy AS MATERIALIZED (
                SELECT rebuild_id FROM builds WHERE state = 1 AND rebuild_id IS NOT NULL
                GROUP BY rebuild_id HAVING count(*) >= \(most ?? .max)
            ), \(fragment: Places.tables(for: worker, offer)), next AS MATERIALIZED (
                SELECT s.id, s.owner, p.node FROM (
                    SELECT s.*, b.owner, \(fragment: turns.start) AS turn
                    FROM build_steps s JOIN builds b ON b.id = s.build_id LEFT JOIN owners o ON o.owner = b.owner
                    WHERE s.state = 0 AND s.blocked_by = 0 AND s.available_at <= now()
                        AND CASE WHEN s.platform IS NULL THEN \(offer.lists)
                            ELSE s.platform IN (SELECT platform FROM places WHERE is_mine AND free > 0) END
                        AND (b.state <> 0 OR NOT EXISTS (SELECT FROM busy WHERE busy.rebuild_id = b.rebuild_id))
                    -- The places are looked for one step after the other, until one has a place.
                    ORDER BY s.priority DESC, turn, s.available_at, s.id OFFSET 0
                ) s LEFT JOIN LATERAL (\(fragment: Places.best)) p ON s.platform IS NOT NULL
                WHERE s.platform IS NULL OR p.node IS NOT NULL
                ORDER BY s.priority DESC, s.turn, s.available_at, s.id LIMIT 1
            ),
            """
        // A step that was canceled meanwhile is not claimed. The next look finds another one.
        let statement = claimStatement(
            "SELECT id FROM next", among: tables, from: .buildSteps, by: worker, present: presence, for: length,
            setting: "state_reason = NULL, node = (SELECT node FROM next)",
            and: ", \(fragment: turns.tables(ofTurnOf: "SELECT n.owner FROM next n JOIN claimed ON true"))",
            returning: """
                to_jsonb(c) AS step, EXISTS (
                    SELECT FROM build_steps WHERE state = 0 AND blocked_by = 0 AND available_at <= now() AND id <> c.id
                ) AS others_wait
                """)
        // One claim after the other. Otherwise two workers could each begin the last build that a rebuild may
        // have at a time. The statement has a snapshot of its own, so it sees what the claim before has done.
        let rows = try await pool.transaction([Self.stepClaims, statement])
        return try rows[1].first.map { row in
            StepLease(
                step: try Step(row.decode(PostgresJSON<StepRow>.self, "step").value), token: try row.decode(UUID.self, "lease_token"),
                othersWait: try row.decode(Bool.self, "others_wait"))
        }
    }

    /// The statement by which claims of steps follow each other. A claim does not wait for the disk, as in
    /// ``FairTurns``.
    private static let stepClaims: SQL = """
        SELECT set_config('synchronous_commit', 'off', true),
            pg_advisory_xact_lock(hashtextextended(current_schema() || ' step claims', 0))
        """

    /// Returns whether a step of the offered kind waits. It may be one that this worker cannot do.
    @PostgresThread private func hasStep(for offer: StepOffer) async throws -> Bool {
        try await pool.query(
            """
            SELECT FROM build_steps WHERE state = 0 AND blocked_by = 0 AND available_at <= now()
                AND CASE WHEN platform IS NULL THEN \(offer.lists) ELSE \(offer.nodes || !offer.platforms.isEmpty) END LIMIT 1
            """
        ).first != nil
    }

    /// Records that a step is done. The last platform lets a worker claim the manifest list. The manifest
    /// list ends the build, and builds that wait for it can begin.
    ///
    /// - Parameters:
    ///   - digest: The digest of the manifest or manifest list, as the registry has it.
    ///   - tags: The tags that show the manifest list now. None for a platform.
    ///   - verification: The comparison of a platform's contents before and after the build.
    ///   - build: The build as it was after the claim of the list. It is read if it is `nil`.
    /// - Returns: `false` if the lease was lost. Nothing was changed then.
    @PostgresThread public func finish(
        _ lease: StepLease, digest: ImageDigest, tags: [ImageTag] = [], verification: Verification? = nil, of build: Build? = nil
    ) async throws -> Bool {
        // The steps of the platforms do not change as long as this worker has the lease of the list.
        let listed = lease.step.platform == nil && build == nil ? try await self.build(lease.step.build) : build
        let rest: SQL =
            if let platform = lease.step.platform {
                """
                list AS (
                    UPDATE build_steps s SET blocked_by = s.blocked_by - 1 FROM done WHERE s.build_id = done.build_id AND s.platform IS NULL
                ), verified AS (
                    UPDATE builds b SET verification = coalesce(b.verification, '{}')
                        || jsonb_build_object(\(platform.description)::text, \(verification.map { PostgresJSON($0) }))
                    FROM done WHERE b.id = done.build_id AND \(verification != nil)
                )
                """
            } else {
                listed.map { completion(of: $0, digest: digest, tags: tags) } ?? "nothing AS (SELECT)"
            }
        let statement: SQL = """
            WITH done AS (
                UPDATE build_steps SET state = 2, digest = \(digest.description), state_reason = NULL,
                    lease_token = NULL, lease_expires_at = NULL
                WHERE \(fragment: lease.guardCondition) RETURNING build_id
            ), attempt AS (
                UPDATE attempts SET ended_at = now(), outcome = 'done' FROM done WHERE lease_token = \(lease.token) AND ended_at IS NULL
            ), \(fragment: rest)
            SELECT build_id FROM done
            """
        return try await pool.transaction([Self.buildChanges, statement])[1].count == 1
    }

    /// Records that an attempt at a step failed. If another attempt can help and attempts are left, the
    /// step returns to the queue and rests for a while. Otherwise the step fails for good, and so do its
    /// build and the builds on top of it.
    ///
    /// - Parameter isOfNode: Whether the node is to blame, and not the image. The first failure of a node
    ///   of a farm at a step does not count: another node gets the step at once.
    public func fail(
        _ lease: StepLease, with failure: BuildFailure, isOfNode: Bool = false, retries: RetryPolicy
    ) async throws -> FailureOutcome {
        try await changingBuilds { connection in
            guard let failures = try await failures(under: lease, on: connection) else { return .leaseLost }
            if isOfNode, try await move(lease, after: failure, on: connection) { return .retried(after: .zero) }
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

    /// Lets another node do a step, if the node that failed is one of a farm and fails at it for the first
    /// time.
    private func move(_ lease: StepLease, after failure: BuildFailure, on connection: PostgresConnection) async throws -> Bool {
        guard let node = lease.step.node, node != FarmNode.localName, !lease.step.failedNodes.contains(node) else { return false }
        _ = try await connection.query(
            "UPDATE build_steps SET failed_nodes = failed_nodes || \([node]) WHERE \(fragment: lease.guardCondition)")
        return try await requeue(
            lease, as: "retry", after: .zero, because: "The node \(node) could not build it: \(failure.message) Another node tries.",
            on: connection)
    }
}
