public import ComposeModel
import ForeignText
import Postgres

/// An error: a build or a rebuild names a compose that no build can use.
public struct ComposeNotUsable: Error, Hashable, Sendable, CustomStringConvertible {
    public let compose: Int
    /// The state of the compose. Nil if there is no such compose. A compose that is `done` was marked as
    /// removed, and is about to be.
    public let state: ComposeState?

    public var description: String {
        switch state {
        case nil: "There is no compose \(compose)."
        case .failed: "Compose \(compose) has failed, so no build can use it."
        default: "Compose \(compose) was removed, so no build can use it. Renew it, and use the new compose."
        }
    }
}

extension Compose {
    /// A condition for a row of `composes AS c`: no open build and no waiting rebuild needs the compose.
    static let isUnused: SQL = """
        NOT EXISTS (
            SELECT FROM build_composes u JOIN builds b ON b.id = u.build_id WHERE u.compose_id = c.id AND b.state IN (0, 1)
        ) AND NOT EXISTS (
            SELECT FROM rebuilds w WHERE w.compose_id = c.id AND w.planned_at IS NULL AND w.problem IS NULL AND w.canceled_by IS NULL
        )
        """
}

/// Composes whose packages builds install. They stay until the builds have ended.
extension ComposeStore {
    /// Makes sure that composes can be used by a build that the same transaction submits. The expirer locks
    /// results too. So it either sees the build or has removed the composes already.
    func use(_ composes: [Int], on connection: PostgresConnection) async throws {
        guard !composes.isEmpty else { return }
        _ = try await connection.query(
            """
            SELECT id FROM results WHERE id IN (SELECT result_id FROM composes WHERE id = ANY(\(composes))) ORDER BY id FOR SHARE
            """)
        let rows = try await connection.query(
            """
            SELECT n.id, c.state FROM unnest(\(composes)) AS n (id) LEFT JOIN composes c ON c.id = n.id
            WHERE c.id IS NULL OR c.state IN (3, 4) OR c.removed_by IS NOT NULL ORDER BY n.id
            """)
        guard let row = rows.first else { return }
        throw ComposeNotUsable(
            compose: try row.decode(Int.self, "id"), state: try row.decode(Int?.self, "state").flatMap(ComposeState.init(rawValue:)))
    }

    /// Returns the open builds that use a compose, at most three.
    func builds(using compose: Int, on connection: PostgresConnection) async throws -> [Int] {
        try await connection.query(
            """
            SELECT b.id FROM build_composes u JOIN builds b ON b.id = u.build_id WHERE u.compose_id = \(compose) AND b.state IN (0, 1)
            ORDER BY b.id LIMIT 3
            """
        ).map { try $0.decode(Int.self, "id") }
    }
}
