import Postgres
import Synchronization

/// Owner limits are how much one account may have at a time, and its share of the workers. `nil` means
/// any amount.
public struct OwnerLimits: Hashable, Sendable {
    /// The number of composes that may wait for a worker.
    public var waiting: Int?
    /// The number of composes that workers make at the same time. More of them wait.
    public var underWay: Int?
    /// The size of all results that done composes of the account show, in bytes.
    public var bytes: Int?
    /// The number of standing watches.
    public var watches: Int?
    /// The number of steps of image builds that may wait or be under way.
    public var buildSteps: Int?
    /// The minutes that workers may spend on the account's image builds within 24 hours.
    public var buildMinutes: Int?
    /// The share of the workers, compared with other accounts whose work waits. 2 is twice the usual share.
    public var weight: Double

    public init(
        waiting: Int? = nil, underWay: Int? = nil, bytes: Int? = nil, watches: Int? = nil, buildSteps: Int? = nil,
        buildMinutes: Int? = nil, weight: Double = 1
    ) {
        self.waiting = waiting
        self.underWay = underWay
        self.bytes = bytes
        self.watches = watches
        self.buildSteps = buildSteps
        self.buildMinutes = buildMinutes
        self.weight = weight
    }
}

extension OwnerLimits {
    /// Whether a submission counts the composes or results of the owner.
    var areCounted: Bool { waiting != nil || bytes != nil }
}

/// The limits that this process has recorded for claims (``ComposeStore/record(_:on:)``). To record
/// them again would change nothing.
final class RecordedLimits: Sendable {
    private let recorded = Mutex<[String: OwnerLimits]>([:])

    func contains(_ limits: OwnerLimits, of owner: String) -> Bool { recorded.withLock { $0[owner] == limits } }

    /// Remembers the limits of a compose's owner after the transaction that recorded them.
    func add(_ new: ComposeStore.NewCompose) {
        guard let limits = new.limits else { return }
        recorded.withLock { recorded in
            if recorded.count >= 10_000 { recorded = [:] }
            recorded[new.owner] = limits
        }
    }
}

/// An error: a request is refused because its owner has reached a limit. Nothing was stored.
public struct OwnerLimitReached: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case waitingComposes, standingWatches, buildSteps
        /// Minutes of workers for image builds, within 24 hours.
        case buildMinutes
        /// Results, with the ids of the composes that show the largest of them.
        case bytes(largest: [Int])
    }

    public let kind: Kind
    public let owner: String
    public let most: Int
    /// The time in seconds after which a new request may be taken.
    public let retryAfter: Int
}

extension ComposeStore {
    /// The number of each owner's things that its limits count.
    struct OwnedCounts {
        var waiting: [String: Int] = [:]
        var bytes: [String: Int] = [:]
    }

    /// Counts the things of the owners of new composes. The owners are locked until the transaction ends,
    /// so that no other transaction counts the same owner meanwhile.
    func ownedCounts(of new: [NewCompose], on connection: PostgresConnection) async throws -> OwnedCounts {
        var counts = OwnedCounts()
        let limited = new.filter { $0.limits?.waiting != nil || $0.limits?.bytes != nil }.map(\.owner)
        guard !limited.isEmpty else { return counts }
        try await lock(owners: Set(limited), on: connection)
        let waiting = Set(new.filter { $0.limits?.waiting != nil }.map(\.owner))
        if !waiting.isEmpty {
            for row in try await connection.query(
                "SELECT owner, count(*) AS composes FROM composes WHERE state = 0 AND owner = ANY(\(Array(waiting))) GROUP BY owner")
            {
                counts.waiting[try row.decode(String.self, "owner")] = try row.decode(Int.self, "composes")
            }
        }
        let sized = Set(new.filter { $0.limits?.bytes != nil }.map(\.owner))
        if !sized.isEmpty {
            for row in try await connection.query(
                """
                SELECT c.owner, sum(r.bytes)::bigint AS bytes
                FROM (SELECT DISTINCT owner, result_id FROM composes WHERE state = 2 AND owner = ANY(\(Array(sized)))) c
                JOIN results r ON r.id = c.result_id GROUP BY c.owner
                """)
            {
                counts.bytes[try row.decode(String.self, "owner")] = try row.decode(Int.self, "bytes")
            }
        }
        return counts
    }

    /// Returns why a new compose may not be inserted, or `nil` if it may.
    func refusal(of new: NewCompose, _ counts: OwnedCounts, on connection: PostgresConnection) async throws -> OwnerLimitReached? {
        if let most = new.limits?.waiting, counts.waiting[new.owner, default: 0] >= most {
            return OwnerLimitReached(
                kind: .waitingComposes, owner: new.owner, most: most, retryAfter: try await usualWait(of: new.owner, on: connection))
        }
        if let most = new.limits?.bytes, counts.bytes[new.owner, default: 0] >= most {
            let rows = try await connection.query(
                """
                SELECT max(c.id) AS id FROM composes c JOIN results r ON r.id = c.result_id WHERE c.state = 2 AND c.owner = \(new.owner)
                GROUP BY r.id ORDER BY r.bytes DESC, r.id LIMIT 3
                """)
            let largest = try rows.map { try $0.decode(Int.self, "id") }
            return OwnerLimitReached(kind: .bytes(largest: largest), owner: new.owner, most: most, retryAfter: 600)
        }
        return nil
    }

    /// Checks that one more watch may stand for an owner.
    ///
    /// - Throws: ``OwnerLimitReached``, `PostgresError`.
    func checkWatches(of owner: String, _ limits: OwnerLimits, on connection: PostgresConnection) async throws {
        guard let most = limits.watches else { return }
        try await lock(owners: [owner], on: connection)
        let rows = try await connection.query("SELECT count(*) AS watches FROM watches WHERE ended_at IS NULL AND owner = \(owner)")
        guard try rows[rows.startIndex].decode(Int.self, "watches") < most else {
            throw OwnerLimitReached(kind: .standingWatches, owner: owner, most: most, retryAfter: 600)
        }
    }

    /// Records the shares and the limits that claims obey. Only changes are written. Without a change, no
    /// row is locked.
    func record(_ limits: [String: OwnerLimits], on connection: PostgresConnection) async throws {
        guard !limits.isEmpty else { return }
        let sorted = limits.sorted { $0.key < $1.key }
        _ = try await connection.query(
            """
            INSERT INTO owners AS o (owner, weight, under_way_limit)
            SELECT owner, weight, under_way FROM unnest(
                \(sorted.map(\.key)), \(sorted.map(\.value.weight)), \(sorted.map(\.value.underWay))
            ) AS n (owner, weight, under_way)
            WHERE NOT EXISTS (
                SELECT FROM owners o WHERE o.owner = n.owner AND (o.weight, o.under_way_limit) IS NOT DISTINCT FROM (n.weight, n.under_way)
            )
            ON CONFLICT (owner) DO UPDATE SET weight = excluded.weight, under_way_limit = excluded.under_way_limit
            """)
    }

    /// Returns the median time that the owner's latest composes waited, in seconds, between 10 and 600.
    private func usualWait(of owner: String, on connection: PostgresConnection) async throws -> Int {
        let rows = try await connection.query(
            """
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM time_started - time_submitted)::float8) AS seconds
            FROM (
                SELECT time_started, time_submitted FROM composes WHERE owner = \(owner) AND time_started IS NOT NULL
                ORDER BY id DESC LIMIT 100
            ) c
            """)
        guard let seconds = try rows.first?.decode(Double?.self, "seconds") else { return 60 }
        return Int(min(max(seconds, 10), 600))
    }

    private func lock(owners: Set<String>, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' owner ' || o.owner, 0))
            FROM (SELECT owner FROM unnest(\(Array(owners))) AS owner ORDER BY owner) o
            """)
    }
}
