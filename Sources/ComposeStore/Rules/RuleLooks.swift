import Foundation
public import ImageModel
import Postgres

/// A worker's right to compare the packages for one rule, for a limited time.
public struct RuleLook: Sendable {
    public let rule: Rule
    /// The latest compose of the watch that is done. Nil if no compose is done, or if the rule has no
    /// watch.
    public let compose: Int?
    fileprivate let contents: Int?
    fileprivate let token: UUID

    /// A condition that holds for the row of `rules AS r` while the worker may write.
    var guardCondition: SQL { "r.id = \(rule.id) AND r.lease_token = \(token) AND r.ended_at IS NULL" }
}

/// Looks for rules. A look compares levels: the packages of images with those that they could have.
/// Events only make a look due earlier.
extension ComposeStore {
    /// Leases a rule whose look is due: its time has come, its watch has a newer compose, an image has new
    /// contents, or a build of the rule has ended.
    ///
    /// - Parameters:
    ///   - length: The time after which another worker may look.
    ///   - rest: The time between two looks because of new contents, which many builds at once may bring.
    /// - Returns: `nil` if no look is due.
    public func claimRule(for length: Duration, resting rest: Duration = .seconds(10)) async throws -> RuleLook? {
        let token = UUID()
        let rows = try await pool.query(
            """
            WITH known AS MATERIALIZED (SELECT max(id) AS contents FROM contents), due AS (
                SELECT r.id, latest.compose, known.contents FROM known, rules r
                CROSS JOIN LATERAL (SELECT max(c.id) AS compose FROM composes c WHERE c.watch_id = r.watch_id AND c.state = 2) latest
                WHERE r.ended_at IS NULL AND (r.lease_expires_at IS NULL OR r.lease_expires_at < now()) AND (
                    r.next_look_at <= now() OR latest.compose IS DISTINCT FROM r.seen_compose
                    OR known.contents IS DISTINCT FROM r.seen_contents
                        AND (r.looked_at IS NULL OR r.looked_at <= now() - \(fragment: interval(rest)))
                    OR EXISTS (
                        SELECT FROM (SELECT build_id FROM rule_builds WHERE rule_id = r.id ORDER BY build_id DESC LIMIT 100) newest
                        JOIN builds b ON b.id = newest.build_id WHERE b.time_done >= r.looked_at
                    )
                ) ORDER BY r.next_look_at, r.id LIMIT 1 FOR UPDATE OF r SKIP LOCKED
            )
            UPDATE rules r SET lease_token = \(token), lease_began_at = now(), lease_expires_at = now() + \(fragment: interval(length))
            FROM due WHERE r.id = due.id
            RETURNING \(fragment: Rule.columns), due.compose, due.contents
            """)
        return try rows.first.map { row in
            RuleLook(
                rule: try Rule(row), compose: try row.decode(Int?.self, "compose"), contents: try row.decode(Int?.self, "contents"),
                token: token)
        }
    }

    /// Records the end of a look. A change since its begin makes the next one due at once.
    ///
    /// - Parameters:
    ///   - next: The time until the next look if nothing changes.
    ///   - problem: Why nothing could be decided, or `nil`.
    public func finish(_ look: RuleLook, next: Duration, problem: String?) async throws {
        _ = try await pool.query(
            """
            UPDATE rules r SET looked_at = r.lease_began_at, seen_compose = \(look.compose), seen_contents = \(look.contents),
                next_look_at = now() + \(fragment: interval(next)), problem = \(problem),
                lease_token = NULL, lease_began_at = NULL, lease_expires_at = NULL
            WHERE \(fragment: look.guardCondition)
            """)
    }

    /// Returns the builds that rules have asked for because of one of some causes, by image and cause.
    /// Builds of an earlier definition of the image do not count.
    public func tries(because causes: Set<RuleCause>) async throws -> [RuleCause: [Int: RuleTries]] {
        let names = Dictionary(causes.map { ($0.description, $0) }) { first, _ in first }
        let rows = try await pool.query(
            """
            SELECT rb.cause, rb.image_id, b.state, b.failure->>'code' AS code, b.request, i.definition,
                extract(epoch FROM now() - b.time_done)::float8 AS seconds
            FROM (SELECT DISTINCT cause, image_id, build_id FROM rule_builds WHERE cause = ANY(\(names.keys.sorted()))) rb
            JOIN builds b ON b.id = rb.build_id JOIN images i ON i.id = rb.image_id
            """)
        var tries: [RuleCause: [Int: RuleTries]] = [:]
        for row in rows {
            guard let cause = names[try row.decode(String.self, "cause")] else { continue }
            // The texts may differ, because a definition of an older version lacks members that have defaults.
            let present = try row.decode(PostgresJSON<ImageDefinition>.self, "definition").value
            guard try row.decode(PostgresJSON<BuildRequest>.self, "request").value.definition == present else { continue }
            tries[cause, default: [:]][try row.decode(Int.self, "image_id"), default: RuleTries()].add(
                try Build.state(row.decode(Int.self, "state")),
                try row.decode(String?.self, "code").flatMap(BuildFailure.Code.init(rawValue:)),
                since: try row.decode(Double?.self, "seconds").map { .seconds($0) })
        }
        return tries
    }
}
