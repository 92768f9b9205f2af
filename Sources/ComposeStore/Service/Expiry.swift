import ComposeModel
import Postgres

/// The composes and results that one run of the expirer has ended.
public struct Expired: Hashable, Sendable {
    /// The composes that are `removed` now.
    public var composes: [Int] = []
    /// The results that no compose shows any more.
    public var retired: [Int] = []
}

/// A result whose directory is to be deleted.
public struct RetiredResult: Hashable, Sendable {
    public let id: Int
    /// The name of the target directory.
    public let targetDir: String

    public init(id: Int, targetDir: String) {
        self.id = id
        self.targetDir = targetDir
    }
}

extension ComposeStore {
    /// Moves expired composes to the state `removed`, and retires the results that only they showed.
    /// Afterwards the caller deletes the files of ``resultsToDelete(limit:in:)``.
    /// A compose that an open build or a waiting rebuild needs stays as long.
    ///
    /// - Parameter limit: The maximum number of composes. Call again if this number was reached.
    public func expire(limit: Int) async throws -> Expired {
        defer { newEvents.report() }
        return try await pool.withTransaction { connection in
            // Expirers run one after the other. The trigger counts removed composes in rows that two expirers
            // would lock in different orders.
            _ = try await connection.query("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' expirer', 0))")
            let over = try await connection.query(
                """
                (
                    SELECT c.id, c.result_id FROM composes c
                    WHERE (c.state = 4 OR (c.state = 2 AND c.removed_by IS NOT NULL)) AND c.time_to_expire <= now() AND \(fragment: Compose.isUnused)
                    ORDER BY c.time_to_expire LIMIT \(limit)
                ) UNION ALL (
                    SELECT c.id, c.result_id FROM results r JOIN composes c ON c.result_id = r.id AND c.state = 2 AND c.removed_by IS NULL
                    WHERE r.retired_at IS NULL AND r.expires_at <= now() AND \(fragment: Compose.isUnused) ORDER BY r.expires_at LIMIT \(limit)
                ) LIMIT \(limit)
                """
            ).map { (id: try $0.decode(Int.self, "id"), result: try $0.decode(Int?.self, "result_id")) }
            guard !over.isEmpty else { return Expired() }

            // Results are locked before composes, as in the other operations by which a compose comes to show a
            // result. A result that is retired below therefore cannot be joined meanwhile.
            let results = Set(over.compactMap(\.result)).sorted()
            _ = try await connection.query("SELECT id FROM results WHERE id = ANY(\(results)) ORDER BY id FOR UPDATE")
            let removed = try await connection.query(
                """
                UPDATE composes c SET state = 3, time_removed = now(), time_to_expire = \(fragment: Compose.timeToExpire),
                    state_reason = concat_ws(
                        E'\\n', c.state_reason, CASE WHEN c.removed_by IS NULL THEN 'Expired: its time to live has ended.'
                            ELSE 'Removed by ' || c.removed_by || '.' END)
                WHERE c.id = ANY(\(over.map(\.id))) AND c.state IN (2, 4) AND \(fragment: Compose.timeToExpire) <= now()
                AND \(fragment: Compose.isUnused) RETURNING c.id
                """)
            let retired = try await connection.query(
                """
                UPDATE results r SET retired_at = now() WHERE r.id = ANY(\(results)) AND r.retired_at IS NULL
                AND NOT EXISTS (SELECT FROM composes c WHERE c.result_id = r.id AND c.state = 2) RETURNING r.id
                """)
            return Expired(
                composes: try removed.map { try $0.decode(Int.self, "id") }, retired: try retired.map { try $0.decode(Int.self, "id") })
        }
    }

    /// Returns retired results whose files may still exist.
    ///
    /// - Parameter targets: The names of the target directories that the caller has, or `nil` for all.
    public func resultsToDelete(limit: Int, in targets: [String]? = nil) async throws -> [RetiredResult] {
        try await pool.query(
            """
            SELECT id, target_dir FROM results WHERE retired_at IS NOT NULL AND deleted_at IS NULL
            AND (\(targets)::text[] IS NULL OR target_dir = ANY(\(targets))) ORDER BY retired_at LIMIT \(limit)
            """
        ).map { RetiredResult(id: try $0.decode(Int.self, "id"), targetDir: try $0.decode(String.self, "target_dir")) }
    }

    /// Records that the files of a retired result are gone.
    public func recordDeletion(of result: Int) async throws {
        _ = try await pool.query("UPDATE results SET deleted_at = now() WHERE id = \(result) AND deleted_at IS NULL")
    }
}
