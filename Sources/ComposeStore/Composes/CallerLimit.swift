import Postgres

/// The number of composes or watches that one caller may have at the same time. A caller is the address
/// that requests come from. Callers are limited if clients need not authenticate themselves.
public struct CallerLimit: Hashable, Sendable {
    /// The address. Example: `192.0.2.7`.
    public var caller: String
    /// The number of the caller's composes that may wait, or of its watches that may stand, at the same
    /// time.
    public var most: Int

    public init(caller: String, most: Int) {
        self.caller = caller
        self.most = most
    }
}

/// An error: a request is refused because its caller has reached its limit. Nothing was stored.
public struct CallerLimitReached: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case waitingComposes, standingWatches
        /// Renewals of one compose.
        case waitingRenewals(of: Int)
        /// Renewals of one compose within a minute.
        case recentRenewals(of: Int)
    }

    public let kind: Kind
    public let limit: CallerLimit
}

extension ComposeStore {
    /// Decides which of several new composes may be inserted by this transaction.
    ///
    /// The callers and owners are locked until the transaction ends. Another transaction that inserts
    /// composes of one of them waits, and then counts the composes of this transaction as well.
    ///
    /// - Returns: For each compose the reason why it may not be inserted, or `nil` if it may.
    func refusals(of new: [NewCompose], on connection: PostgresConnection) async throws -> [(any Error)?] {
        var refusals: [(any Error)?] = try await callerRefusals(of: new, on: connection)
        var counts = try await ownedCounts(of: new, on: connection)
        for (index, new) in new.enumerated() where refusals[index] == nil {
            refusals[index] = try await refusal(of: new, counts, on: connection)
            if refusals[index] == nil { counts.waiting[new.owner, default: 0] += 1 }
        }
        let limits = new.compactMap { new in new.limits.map { (new.owner, $0) } }
        try await record(Dictionary(limits) { _, last in last }, on: connection)
        return refusals
    }

    private func callerRefusals(of new: [NewCompose], on connection: PostgresConnection) async throws -> [CallerLimitReached?] {
        let callers = Set(new.compactMap(\.limit?.caller))
        guard !callers.isEmpty else { return new.map { _ in nil } }
        try await lock(callers, on: connection)
        let rows = try await connection.query(
            """
            SELECT caller, count(*) AS composes FROM composes
            WHERE state = 0 AND caller IS NOT NULL AND caller = ANY(\(Array(callers))) GROUP BY caller
            """)
        var waiting = Dictionary(
            uniqueKeysWithValues: try rows.map { (try $0.decode(String.self, "caller"), try $0.decode(Int.self, "composes")) })
        return new.map { new in
            guard let limit = new.limit else { return nil }
            guard waiting[limit.caller, default: 0] < limit.most else { return CallerLimitReached(kind: .waitingComposes, limit: limit) }
            waiting[limit.caller, default: 0] += 1
            return nil
        }
    }

    /// The number of renewals of one compose that may wait for one caller. A client with more of them
    /// probably renews in a loop.
    static let mostRenewals = 10
    /// The number of renewals of one compose that an owner may ask for within a minute. Workers that make
    /// each renewal at once would never let them wait.
    static let mostRecentRenewals = 60

    /// Checks that an owner may renew a compose once more. The caller must be locked already.
    ///
    /// - Throws: ``CallerLimitReached``, `PostgresError`.
    func checkRenewals(of compose: Int, by owner: String, _ limit: CallerLimit, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT (
                    SELECT count(*) FROM composes
                    WHERE state = 0 AND caller IS NOT NULL AND caller = \(limit.caller) AND renewed_from = \(compose)
                ) AS waiting, (
                    SELECT count(*) FROM (SELECT * FROM composes WHERE owner = \(owner) ORDER BY id DESC LIMIT 200) latest
                    WHERE renewed_from = \(compose) AND time_submitted > now() - interval '1 minute'
                ) AS recent
            """)
        let row = rows[rows.startIndex]
        func refuse(_ kind: CallerLimitReached.Kind, _ most: Int) -> CallerLimitReached {
            CallerLimitReached(kind: kind, limit: CallerLimit(caller: limit.caller, most: most))
        }
        if try row.decode(Int.self, "waiting") >= Self.mostRenewals { throw refuse(.waitingRenewals(of: compose), Self.mostRenewals) }
        if try row.decode(Int.self, "recent") >= Self.mostRecentRenewals {
            throw refuse(.recentRenewals(of: compose), Self.mostRecentRenewals)
        }
    }

    /// Checks that one more watch may stand for a caller.
    ///
    /// - Throws: ``CallerLimitReached``, `PostgresError`.
    func checkWatches(_ limit: CallerLimit, on connection: PostgresConnection) async throws {
        try await lock([limit.caller], on: connection)
        let rows = try await connection.query(
            "SELECT count(*) AS watches FROM watches WHERE ended_at IS NULL AND caller IS NOT NULL AND caller = \(limit.caller)")
        guard try rows[rows.startIndex].decode(Int.self, "watches") < limit.most else {
            throw CallerLimitReached(kind: .standingWatches, limit: limit)
        }
    }

    /// Locks the callers until the end of the transaction, so that no other transaction decides about them.
    /// All transactions lock callers in the same order, so that no two of them wait for each other.
    private func lock(_ callers: Set<String>, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' caller ' || c.caller, 0))
            FROM (SELECT caller FROM unnest(\(Array(callers))) AS caller ORDER BY caller) c
            """)
    }
}
