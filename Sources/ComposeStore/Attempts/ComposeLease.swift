public import ComposeModel
public import Foundation
import Postgres

/// A worker's right to one compose for a limited time.
public struct ComposeLease: Lease {
    public static var queue: WorkQueue { .composes }

    /// The compose as it was when the worker claimed it.
    public let compose: Compose
    public let token: UUID
    /// The span of the request that the compose was made for, as in the header `traceparent`.
    public let traceParent: String?

    init(compose: Compose, token: UUID, traceParent: String? = nil) {
        self.compose = compose
        self.token = token
        self.traceParent = traceParent
    }

    public var id: Int { compose.id }
}

extension ComposeStore {
    /// Claims a compose and opens an attempt at it. If the waiting composes have several owners, the owners
    /// take turns (``FairTurns``). Of one owner, the compose that has waited longest comes first.
    ///
    /// - Parameters:
    ///   - worker: The name of the worker in the attempt's record.
    ///   - presence: The lock by which others see that the worker is alive. Without it, only the time of
    ///     the lease counts.
    ///   - length: The length of the lease if it is not renewed.
    /// - Returns: `nil` if no compose waits that may run now and that this worker has not refused. The same
    ///   holds if the owners of all such composes have as many under way as they may have.
    public func claim(
        by worker: String, present presence: WorkerPresence? = nil, for length: Duration
    ) async throws -> ComposeLease? {
        let row = try await claimRow(by: worker, present: presence, for: length)
        if row != nil { newEvents.report() }
        return try row.map {
            ComposeLease(
                compose: try Compose($0), token: try $0.decode(UUID.self, "lease_token"),
                traceParent: try $0.decode(String?.self, "traceparent"))
        }
    }

    /// The columns of a compose that was claimed.
    static let claimedColumns: SQL = "\(fragment: Compose.columns), c.traceparent"

    private func claimRow(by worker: String, present presence: WorkerPresence?, for length: Duration) async throws -> PostgresRow? {
        if let owners = waitingOwners.next(of: worker) {
            if let row = try await claimByTurns(among: owners, by: worker, present: presence, for: length) { return row }
            waitingOwners.forget()
        }
        let row = try await claim(
            """
            SELECT id FROM composes WHERE state = 0 AND available_at <= now()
                AND (refused_by IS NULL OR NOT \(worker) = ANY(refused_by))
                AND NOT (SELECT \(fragment: Self.ownersTakeTurns))
            ORDER BY available_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
            """,
            from: .composes, by: worker, present: presence, for: length, setting: Self.beginning, returning: Self.claimedColumns)
        // A worker without work looks often. It does so without a transaction and its lock.
        if row != nil { return row }
        guard try await ownersTakeTurns() else { return nil }
        let owners = try await ownersThatWait(for: worker)
        guard !owners.isEmpty, let row = try await claimByTurns(among: owners, by: worker, present: presence, for: length) else {
            return nil
        }
        waitingOwners.keep(owners, of: worker)
        return row
    }

    private func ownersTakeTurns() async throws -> Bool {
        let rows = try await pool.query("SELECT \(fragment: Self.ownersTakeTurns) AS found")
        return try rows.first.map { try $0.decode(Bool.self, "found") } ?? false
    }

    /// Whether the waiting composes have several owners, or one whose composes under way are limited.
    private static let ownersTakeTurns: SQL = """
        EXISTS (
            SELECT FROM (SELECT min(owner) AS first, max(owner) AS last FROM composes WHERE state = 0) w
            WHERE w.first <> w.last OR EXISTS (SELECT FROM owners o WHERE o.owner = w.first AND o.under_way_limit IS NOT NULL)
        )
        """

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
}
