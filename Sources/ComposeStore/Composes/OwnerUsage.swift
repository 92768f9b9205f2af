import Postgres

/// How much one account has at the moment of everything that ``OwnerLimits`` can limit.
public struct OwnerUsage: Hashable, Sendable {
    public var waiting: Int
    public var underWay: Int
    /// The size of all results that done composes of the account show, in bytes.
    public var bytes: Int
    public var watches: Int
    public var buildSteps: Int
    /// The minutes that workers have spent on the account's image builds within 24 hours.
    public var buildMinutes: Int
}

extension ComposeStore {
    /// Returns how much an account has now.
    public func usage(of owner: String) async throws -> OwnerUsage {
        let rows = try await pool.query(
            """
            SELECT (SELECT count(*) FROM composes WHERE state = 0 AND owner = \(owner)) AS waiting,
                (SELECT count(*) FROM composes WHERE lease_token IS NOT NULL AND owner = \(owner)) AS under_way,
                (SELECT coalesce(sum(r.bytes), 0)::bigint
                    FROM (SELECT DISTINCT result_id FROM composes WHERE state = 2 AND owner = \(owner)) c
                    JOIN results r ON r.id = c.result_id) AS bytes,
                (SELECT count(*) FROM watches WHERE ended_at IS NULL AND owner = \(owner)) AS watches,
                (\(fragment: Self.openSteps(of: owner))) AS steps, (\(fragment: Self.buildMinutes(of: owner))) AS minutes
            """)
        let row = rows[rows.startIndex]
        return OwnerUsage(
            waiting: try row.decode(Int.self, "waiting"), underWay: try row.decode(Int.self, "under_way"),
            bytes: try row.decode(Int.self, "bytes"), watches: try row.decode(Int.self, "watches"),
            buildSteps: try row.decode(Int.self, "steps"), buildMinutes: Int(try row.decode(Double.self, "minutes").rounded(.up)))
    }
}
