import Postgres

/// How much may wait for one caller. A caller is the address that requests come from, as long as nobody has to say who they are.
public struct CallerLimit: Hashable, Sendable {
    /// For example `192.0.2.7`.
    public var caller: String
    /// How many of the caller's composes may wait, or how many of its watches may stand, at the same time.
    public var most: Int

    public init(caller: String, most: Int) {
        self.caller = caller
        self.most = most
    }
}

/// A request was refused because as much waits for its caller as may wait. Nothing was stored.
public struct CallerLimitReached: Error, Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case waitingComposes, standingWatches
        /// Renewals of one compose.
        case waitingRenewals(of: Int)
    }

    public let kind: Kind
    public let limit: CallerLimit
}

extension ComposeStore {
    /// Decides which of some new composes may be inserted by this transaction.
    ///
    /// The callers are locked until the transaction ends: another transaction that inserts for one of them waits, and counts what this one
    /// has inserted.
    ///
    /// - Returns: For each compose why it may not be inserted, or `nil`.
    func refusals(of new: [NewCompose], on connection: PostgresConnection) async throws -> [CallerLimitReached?] {
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

    /// How many renewals of one compose may wait for one caller. More of them are a client that asks in a circle.
    static let mostRenewals = 10

    /// Checks that one more renewal of a compose may wait for a caller that is locked already.
    ///
    /// - Throws: ``CallerLimitReached``, `PostgresError`.
    func checkRenewals(of compose: Int, _ limit: CallerLimit, on connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            """
            SELECT count(*) AS renewals FROM composes
            WHERE state = 0 AND caller IS NOT NULL AND caller = \(limit.caller) AND renewed_from = \(compose)
            """)
        guard try rows[rows.startIndex].decode(Int.self, "renewals") < Self.mostRenewals else {
            throw CallerLimitReached(
                kind: .waitingRenewals(of: compose), limit: CallerLimit(caller: limit.caller, most: Self.mostRenewals))
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

    /// Until the end of the transaction nobody else decides about these callers. All are locked in the same order, so that no two transactions
    /// wait for each other.
    private func lock(_ callers: Set<String>, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' caller ' || c.caller, 0))
            FROM (SELECT caller FROM unnest(\(Array(callers))) AS caller ORDER BY caller) c
            """)
    }
}
