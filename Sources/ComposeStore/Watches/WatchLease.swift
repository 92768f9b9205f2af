public import ComposeModel
public import Foundation
import Postgres

/// A worker's right to look for several watches for a limited time. Every write about one of them must
/// show the lease's token.
public struct WatchLease: Sendable {
    /// A watch and the state that its previous looks have left.
    public struct Item: Sendable {
        public let watch: ComposeWatch
        /// The numbers of the tag and its parents as of the watch's event. Empty as long as they are not known.
        public let tags: [Int]
        /// The number of looks that have failed in a row.
        public let failures: Int
        /// Whether a look is due even if the tag has not changed. It is due if no look has succeeded yet, if a
        /// look must be repeated, or if the watch lacks a compose.
        public let isLookDue: Bool
        /// Whether the look is due to confirm the last one, which succeeded.
        public let isConfirmation: Bool
        /// Whether the latest compose is gone without a user's action: it expired, or failed for a temporary
        /// reason. A new one is then made even if the packages are the same.
        public let lacksCompose: Bool
    }

    let token: UUID
    public let items: [Item]
}

/// The findings of a look for a watch.
public struct WatchFinding: Sendable {
    public var pins: ComposePins
    /// The numbers of the tag and its parents.
    public var tags: [Int]
    /// The key of the `ComposedPackages`.
    public var packagesKey: String

    public init(pins: ComposePins, tags: [Int], packagesKey: String) {
        self.pins = pins
        self.tags = tags
        self.packagesKey = packagesKey
    }
}

extension ComposeStore {
    /// The time after which a compose that failed for a temporary reason is made again, counted from its
    /// end.
    private static let patience = Duration.seconds(900)

    /// The time by which a look may be early. Workers come at fixed intervals: a worker that comes just
    /// before the look is due would otherwise leave it until its next round.
    private static let haste = Duration.seconds(1)

    /// Leases all free watches as soon as one of them is due. One worker then looks for all of them with
    /// one call to Koji.
    ///
    /// - Parameter length: The length of the lease if it is not renewed.
    /// - Returns: `nil` if no watch is due.
    public func leaseWatches(for length: Duration) async throws -> WatchLease? {
        let token = UUID()
        let rows = try await pool.query(
            """
            WITH free AS (
                SELECT id FROM watches WHERE ended_at IS NULL AND (lease_expires_at IS NULL OR lease_expires_at < now())
                AND EXISTS (
                    SELECT FROM watches WHERE ended_at IS NULL AND (lease_expires_at IS NULL OR lease_expires_at < now())
                    AND next_look_at <= now() + \(fragment: interval(Self.haste))
                )
                ORDER BY id FOR UPDATE SKIP LOCKED
            ), leased AS (
                UPDATE watches w SET lease_token = \(token), lease_expires_at = now() + \(fragment: interval(length))
                FROM free WHERE w.id = free.id RETURNING w.*
            ), known AS (
                SELECT w.*, coalesce(latest.is_gone, false) AS lacks_compose
                FROM leased w LEFT JOIN LATERAL (
                    SELECT CASE c.state
                        WHEN \(ComposeState.removed.rawValue) THEN c.removed_by IS NULL AND c.failure IS NULL
                        WHEN \(ComposeState.failed.rawValue) THEN
                            (c.failure->>'isTransient')::boolean AND c.time_done < now() - \(fragment: interval(Self.patience))
                        END AS is_gone
                    FROM composes c WHERE c.watch_id = w.id ORDER BY c.id DESC LIMIT 1
                ) latest ON true
            )
            SELECT \(fragment: ComposeWatch.columns), w.tag_ids, w.failures, w.lacks_compose,
                coalesce(w.retry_at <= now(), false) OR w.failures = 0 AND (w.packages_key IS NULL OR w.lacks_compose) AS is_look_due,
                coalesce(w.retry_at <= now(), false) AND w.failures = 0 AS is_confirmation
            FROM known w ORDER BY w.id
            """)
        guard !rows.isEmpty else { return nil }
        return WatchLease(token: token, items: try rows.map(WatchLease.Item.init))
    }

    /// Renews the lease of the watches that it still holds.
    public func heartbeat(_ lease: WatchLease, for length: Duration) async throws {
        _ = try await pool.query(
            "UPDATE watches w SET lease_expires_at = now() + \(fragment: interval(length)) WHERE \(fragment: lease.guardCondition)")
    }

    /// Gives back the watches that the lease still holds, because the worker stops. Another worker can look
    /// for them at once.
    public func release(_ lease: WatchLease) async throws {
        _ = try await pool.query(
            "UPDATE watches w SET lease_token = NULL, lease_expires_at = NULL WHERE \(fragment: lease.guardCondition)")
    }

    /// Records that the tags of some watches have not changed.
    ///
    /// - Parameters:
    ///   - event: The event up to which this is known, or `nil` if it is the same event as before.
    ///   - next: The time until Koji is asked again.
    public func recordUnchanged(_ watches: [Int], upTo event: Int?, _ lease: WatchLease, next: Duration) async throws {
        _ = try await pool.query(
            """
            UPDATE watches w SET koji_event = greatest(w.koji_event, \(event)), looked_at = now(),
                problem = CASE WHEN w.failures > 0 THEN w.problem END,
                next_look_at = now() + \(fragment: interval(next)), lease_token = NULL, lease_expires_at = NULL
            WHERE w.id = ANY(\(watches)) AND \(fragment: lease.guardCondition)
            """)
    }

    /// Records the findings of a look. Makes a new compose if the packages differ from those of the
    /// previous look, or if the watch lacks a compose. Both happen in one transaction.
    ///
    /// - Parameters:
    ///   - next: The time until Koji is asked again whether the tag has changed.
    ///   - confirmation: The time until the next look if the tag has not changed, or `nil` if no such look
    ///     is needed.
    /// - Returns: The new compose. `nil` if none is needed, if the lease was lost, or if the watch was
    ///   ended meanwhile.
    public func record(
        _ finding: WatchFinding, for item: WatchLease.Item, _ lease: WatchLease, next: Duration, confirmation: Duration? = nil
    ) async throws -> Compose? {
        defer { newEvents.report() }
        let watch = item.watch
        let retryAt: SQL = confirmation.map { "now() + \(fragment: interval($0))" } ?? "NULL"
        return try await pool.withTransaction { connection in
            let held = try await connection.query(
                """
                SELECT w.packages_key FROM watches w WHERE w.id = \(watch.id) AND \(fragment: lease.guardCondition) FOR UPDATE
                """)
            guard let row = held.first else { return nil }
            _ = try await connection.query(
                """
                UPDATE watches w SET koji_event = \(finding.pins.koji?.tag?.event), tag_ids = \(finding.tags),
                    packages_key = \(finding.packagesKey), looked_at = now(), problem = NULL, failures = 0,
                    retry_at = \(fragment: retryAt),
                    next_look_at = now() + \(fragment: interval(next)), lease_token = NULL, lease_expires_at = NULL
                WHERE w.id = \(watch.id)
                """)
            try await announce([watch.id], on: connection)
            guard try row.decode(String?.self, "packages_key") != finding.packagesKey || item.lacksCompose else { return nil }
            return try await insert(NewCompose(watch.request, owner: watch.owner, watch: (watch.id, finding.pins)), on: connection)
        }
    }

    /// Records that a look failed, and the reason.
    ///
    /// - Parameters:
    ///   - event: The event up to which the tag's changes are known nevertheless, or `nil` if it is the
    ///     same event as before.
    ///   - tags: The numbers of the tag and its parents as of that event.
    ///   - next: The time until Koji is asked again whether the tag has changed.
    ///   - pause: The time until the next look if the tag has not changed.
    public func record(
        problem: String, for item: WatchLease.Item, upTo event: Int?, tags: [Int]?, _ lease: WatchLease, next: Duration, pause: Duration
    ) async throws {
        try await pool.withTransaction { connection in
            _ = try await connection.query(
                """
                UPDATE watches w SET koji_event = greatest(w.koji_event, \(event)), tag_ids = coalesce(\(tags), w.tag_ids),
                    looked_at = now(), problem = \(problem), failures = w.failures + 1, retry_at = now() + \(fragment: interval(pause)),
                    next_look_at = now() + \(fragment: interval(next)), lease_token = NULL, lease_expires_at = NULL
                WHERE w.id = \(item.watch.id) AND \(fragment: lease.guardCondition)
                """)
            try await announce([item.watch.id], on: connection)
        }
    }

    /// Records for all watches that the lease still holds that Koji could not be asked. The problem of a
    /// look that failed before stays.
    public func record(problem: String, _ lease: WatchLease, next: Duration) async throws {
        try await pool.withTransaction { connection in
            _ = try await connection.query(
                """
                UPDATE watches w SET looked_at = now(), problem = CASE WHEN w.failures = 0 THEN \(problem) ELSE w.problem END,
                    next_look_at = now() + \(fragment: interval(next)), lease_token = NULL, lease_expires_at = NULL
                WHERE \(fragment: lease.guardCondition)
                """)
            try await announce(lease.items.map(\.watch.id), on: connection)
        }
    }

    /// Extends the life of the latest compose of each watch when half of its time to live is over, together
    /// with all composes that show the same result. A compose that a person removed is not extended.
    public func keepComposesOfWatches() async throws {
        try await pool.withTransaction { connection in
            let aging = try await connection.query(
                """
                SELECT r.id, latest.seconds FROM watches w CROSS JOIN LATERAL (
                    SELECT c.result_id, c.state, c.removed_by, (c.request->>'secondsToLive')::float8 AS seconds
                    FROM composes c WHERE c.watch_id = w.id ORDER BY c.id DESC LIMIT 1
                ) latest JOIN results r ON r.id = latest.result_id
                WHERE w.ended_at IS NULL AND latest.state = \(ComposeState.done.rawValue) AND latest.removed_by IS NULL
                AND r.expires_at < now() + make_interval(secs => latest.seconds / 2)
                ORDER BY r.id FOR UPDATE OF r
                """)
            for row in aging {
                try await extend(
                    try row.decode(Int.self, "id"), by: try row.decode(Double.self, "seconds"), on: connection)
            }
        }
    }
}

extension WatchLease {
    /// A condition that holds for the rows of `watches AS w` that this lease holds and that were not ended.
    var guardCondition: SQL { "w.lease_token = \(token) AND w.ended_at IS NULL" }
}

extension WatchLease.Item {
    init(_ row: PostgresRow) throws {
        self.init(
            watch: try ComposeWatch(row), tags: try row.decode([Int].self, "tag_ids"), failures: try row.decode(Int.self, "failures"),
            isLookDue: try row.decode(Bool.self, "is_look_due"), isConfirmation: try row.decode(Bool.self, "is_confirmation"),
            lacksCompose: try row.decode(Bool.self, "lacks_compose"))
    }
}
