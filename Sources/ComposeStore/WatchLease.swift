public import ComposeModel
public import Foundation
import Postgres

/// A worker's right to look for some watches for a while: every write about one of them must show its token.
public struct WatchLease: Sendable {
    /// A watch, and what its looks so far have left.
    public struct Item: Sendable {
        public let watch: ComposeWatch
        /// The numbers of the tag and its parents as of the watch's event; empty as long as they are not known.
        public let tags: [Int]
        /// How many looks have failed in a row.
        public let failures: Int
        /// A look has to be made even if the tag has not changed: there was none that succeeded, one is to be made again, or the watch lacks a
        /// compose.
        public let isLookDue: Bool
        /// It is due because the last one, which succeeded, is to be confirmed.
        public let isConfirmation: Bool
        /// The latest compose is gone by itself, so that a new one is made even if the packages are the same.
        public let lacksCompose: Bool
    }

    let token: UUID
    public let items: [Item]
}

/// What a look for a watch has found.
public struct WatchFinding: Sendable {
    public var pins: ComposePins
    /// The numbers of the tag and its parents.
    public var tags: [Int]
    /// That of the `ComposedPackages`.
    public var packagesKey: String

    public init(pins: ComposePins, tags: [Int], packagesKey: String) {
        self.pins = pins
        self.tags = tags
        self.packagesKey = packagesKey
    }
}

extension ComposeStore {
    /// How long after it ended a compose that failed for a passing reason is made again.
    private static let patience = Duration.seconds(900)

    /// Workers come by at fixed intervals: one that comes just before it is due would otherwise leave it until the next time.
    private static let haste = Duration.seconds(1)

    /// Takes all watches that nobody looks for, as soon as one of them is due: so all are looked for at once, with one question to Koji.
    ///
    /// - Parameter length: How long the lease lasts unless it is renewed.
    /// - Returns: `nil` when none is due.
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

    /// Renews the lease of those watches that it still holds.
    public func heartbeat(_ lease: WatchLease, for length: Duration) async throws {
        _ = try await pool.query(
            "UPDATE watches w SET lease_expires_at = now() + \(fragment: interval(length)) WHERE \(fragment: lease.guardCondition)")
    }

    /// Gives back what the lease still holds, because the worker stops: another one looks at once.
    public func release(_ lease: WatchLease) async throws {
        _ = try await pool.query(
            "UPDATE watches w SET lease_token = NULL, lease_expires_at = NULL WHERE \(fragment: lease.guardCondition)")
    }

    /// Writes down that the tags of some watches have not changed.
    ///
    /// - Parameters:
    ///   - event: Up to which event that is known; `nil`: up to the same one as before.
    ///   - next: When to ask again.
    public func recordUnchanged(_ watches: [Int], upTo event: Int?, _ lease: WatchLease, next: Duration) async throws {
        _ = try await pool.query(
            """
            UPDATE watches w SET koji_event = greatest(w.koji_event, \(event)), looked_at = now(),
                problem = CASE WHEN w.failures > 0 THEN w.problem END,
                next_look_at = now() + \(fragment: interval(next)), lease_token = NULL, lease_expires_at = NULL
            WHERE w.id = ANY(\(watches)) AND \(fragment: lease.guardCondition)
            """)
    }

    /// Writes down what a look has found, and makes a new compose if the packages are others than those of the look before, or if the watch lacks
    /// a compose: one transaction.
    ///
    /// - Parameters:
    ///   - next: When to ask again whether the tag has changed.
    ///   - confirmation: When to look again even if it has not; `nil`: not at all.
    /// - Returns: the new compose; `nil` when none is needed, or the lease was lost, or the watch was ended meanwhile.
    public func record(
        _ finding: WatchFinding, for item: WatchLease.Item, _ lease: WatchLease, next: Duration, confirmation: Duration? = nil
    ) async throws -> Compose? {
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

    /// Writes down that a look failed, and why.
    ///
    /// - Parameters:
    ///   - event: Up to which event the tag's changes are known nevertheless, `tags` being its numbers; `nil`: up to the same as before.
    ///   - next: When to ask again whether the tag has changed.
    ///   - pause: When to look again even if it has not.
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

    /// Writes down, for all watches that the lease still holds, that Koji could not be asked. The problem of a look that failed stays.
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

    /// Lets the latest compose of each watch live on, with all that show the same result, when half of its time to live is over; not one that
    /// a person ended.
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
    /// True of the rows of `watches AS w` that this lease holds and that were not ended.
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
