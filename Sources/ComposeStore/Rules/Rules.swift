import Foundation
public import ImageModel
import Postgres

/// One page of a list of rules, with the newest first.
public struct RulePage: Sendable {
    public var items: [Rule]
    public var total: Int
}

/// The outcome of adding a rule.
public enum RuleAddition: Sendable {
    /// The rule, which may have been there before.
    case added(Rule)
    /// The watch has ended, or there is no such watch.
    case noWatch
    /// The owner has this many rules, and gets no more.
    case tooMany(Int)
}

/// The outcome of ending a rule.
public enum RuleEnding: Sendable {
    case ended(Rule)
    case notAllowed(String)
}

extension ComposeStore {
    /// The most rules of one owner that stand.
    private static let mostRules = 100

    /// Adds a rule, or finds the equal one of the same owner that stands.
    public func addRule(owner: String, watch: Int?, images: [String]) async throws -> RuleAddition {
        let images = Set(images).sorted()
        return try await pool.withTransaction { connection in
            try await waitForTurn(owner, "'rules'", on: connection)
            if let watch {
                let standing = try await connection.query("SELECT 1 AS one FROM watches WHERE id = \(watch) AND ended_at IS NULL FOR SHARE")
                guard !standing.isEmpty else { return .noWatch }
            }
            let equal = try await connection.query(
                """
                SELECT \(fragment: Rule.columns) FROM rules r
                WHERE r.owner = \(owner) AND r.watch_id IS NOT DISTINCT FROM \(watch) AND r.images = \(images) AND r.ended_at IS NULL
                """)
            if let rule = try equal.first.map(Rule.init) { return .added(rule) }
            let standing = try await connection.query(
                "SELECT count(*) AS total FROM rules WHERE owner = \(owner) AND ended_at IS NULL")
            guard try standing[standing.startIndex].decode(Int.self, "total") < Self.mostRules else { return .tooMany(Self.mostRules) }
            let rows = try await connection.query(
                """
                INSERT INTO rules AS r (owner, watch_id, images) VALUES (\(owner), \(watch), \(images))
                RETURNING \(fragment: Rule.columns)
                """)
            let rule = try Rule(rows[rows.startIndex])
            // A worker looks at once.
            _ = try await connection.query("SELECT pg_notify(current_schema(), \("rule \(rule.id)"))")
            return .added(rule)
        }
    }

    /// Returns the rule with that id, even if it has ended, or `nil` if no rule has that id.
    public func rule(_ id: Int) async throws -> Rule? {
        try await pool.query("SELECT \(fragment: Rule.columns) FROM rules r WHERE r.id = \(id)").first.map(Rule.init)
    }

    /// Returns one page of rules.
    ///
    /// - Parameter owner: The owner of the rules, or `nil` for those of all owners.
    public func rules(owner: String? = nil, includingEnded: Bool = false, page: Int = 1, perPage: Int = 10) async throws -> RulePage {
        let page = try await self.page(
            PagePlace(page: page, perPage: perPage), of: Rule.columns,
            "FROM rules r WHERE (\(owner)::text IS NULL OR r.owner = \(owner)) AND (\(includingEnded) OR r.ended_at IS NULL)",
            orderedBy: "r.id DESC", read: Rule.init)
        return RulePage(items: page.items, total: page.total)
    }

    /// Ends a rule. The builds that it asked for go on. A rule that has ended stays as it is.
    ///
    /// - Returns: `nil` if there is no such rule.
    public func endRule(_ id: Int, by actor: Actor) async throws -> RuleEnding? {
        try await pool.withTransaction { connection in
            let rows = try await connection.query("SELECT owner FROM rules WHERE id = \(id) FOR UPDATE")
            guard let owner = try rows.first?.decode(String.self, "owner") else { return nil }
            guard actor.isAdmin || actor.name == owner else {
                return .notAllowed("only \(owner), whose rule \(id) is, or an admin can remove it")
            }
            let ended = try await connection.query(
                """
                UPDATE rules r SET ended_at = coalesce(r.ended_at, now()), lease_token = NULL, lease_began_at = NULL,
                    lease_expires_at = NULL WHERE r.id = \(id) RETURNING \(fragment: Rule.columns)
                """)
            return .ended(try Rule(ended[ended.startIndex]))
        }
    }

    /// Ends the rules of a watch that ends.
    func endRules(ofWatch watch: Int, on connection: PostgresConnection) async throws {
        _ = try await connection.query(
            """
            UPDATE rules SET ended_at = now(), lease_token = NULL, lease_began_at = NULL, lease_expires_at = NULL
            WHERE watch_id = \(watch) AND ended_at IS NULL
            """)
    }
}

extension Rule {
    /// The columns of `rules AS r` that ``init(_:)`` reads.
    static let columns: SQL = """
        r.id, r.owner, r.watch_id, r.images, r.created_at, r.ended_at, r.looked_at, r.problem,
        ARRAY(SELECT b.build_id FROM rule_builds b WHERE b.rule_id = r.id ORDER BY b.build_id DESC LIMIT 10) AS builds
        """

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode(Int.self, "id"), owner: try row.decode(String.self, "owner"),
            watch: try row.decode(Int?.self, "watch_id"), images: try row.decode([String].self, "images"),
            timeAdded: try row.decode(Date.self, "created_at"), timeEnded: try row.decode(Date?.self, "ended_at"),
            timeLooked: try row.decode(Date?.self, "looked_at"), problem: try row.decode(String?.self, "problem"),
            builds: try row.decode([Int].self, "builds"))
    }
}
