import Foundation
import ImageModel
import Postgres

extension Rebuild {
    /// The columns of `rebuilds AS r` that ``init(_:)`` reads.
    static let columns: SQL = """
        r.id, r.owner, r.compose_id, r.reason, r.selection, r.priority, r.date_tag, r.created_at, r.planned_at, r.problem, r.canceled_by,
        r.rule_id,
        (
            SELECT coalesce(jsonb_agg(to_jsonb(i) || jsonb_build_object('state', b.state) ORDER BY i.position), '[]')
            FROM rebuild_images i LEFT JOIN builds b ON b.id = i.build_id WHERE i.rebuild_id = r.id
        ) AS images
        """

    /// A condition that holds for a row of `rebuilds AS r` while the rebuild has no plan yet.
    static let waits: SQL = "r.planned_at IS NULL AND r.problem IS NULL AND r.canceled_by IS NULL"

    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode(Int.self, "id"), owner: try row.decode(String.self, "owner"),
            compose: try row.decode(Int.self, "compose_id"), reason: try row.decode(PostgresJSON<RebuildReason>.self, "reason").value,
            selection: try row.decode(PostgresJSON<RebuildSelection>.self, "selection").value,
            priority: try row.decode(Int.self, "priority"),
            dateTag: try ImageTag(row.decode(String.self, "date_tag")), timeSubmitted: try row.decode(Date.self, "created_at"),
            timePlanned: try row.decode(Date?.self, "planned_at"), problem: try row.decode(String?.self, "problem"),
            canceledBy: try row.decode(String?.self, "canceled_by"),
            rule: try row.decode(Int?.self, "rule_id"),
            rows: try row.decode(PostgresJSON<[RebuildImageRow]>.self, "images").value.map(Rebuild.Row.init))
    }
}

/// A row of `rebuild_images` as JSON, with the state of its build.
private struct RebuildImageRow: Decodable, Sendable {
    let image_id: Int
    let decision: RebuildPlan.Decision
    let reason: String
    let parents: [Int]
    let findings: [RebuildPlan.PlatformFindings]
    let build_id: Int?
    let state: Int?
}

extension Rebuild.Row {
    fileprivate init(_ row: RebuildImageRow) throws {
        self.init(
            plan: RebuildPlan.Row(
                image: row.image_id, decision: row.decision, reason: row.reason, parents: row.parents, findings: row.findings),
            build: row.build_id, state: try row.state.map(Build.state))
    }
}
