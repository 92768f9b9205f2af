public import ImageModel
import Postgres

/// The facts for the provenance of a build.
extension ComposeStore {
    /// Records which node made a platform, before an attempt that only pushes the image of an earlier one.
    /// Meanwhile, another node may have tried to make it. All other facts are equal in each attempt.
    ///
    /// - Returns: `false` if the lease was lost. Nothing was changed then.
    public func record(node: String, isolation: String, under lease: StepLease) async throws -> Bool {
        try await pool.query(
            """
            UPDATE build_steps SET origin = origin || jsonb_build_object('node', \(node)::text, 'isolation', \(isolation)::text)
            WHERE \(fragment: lease.guardCondition)
            """
        ).affectedRows == 1
    }

    /// Returns how the platforms of a build were made. A platform that an older version built is left out.
    public func origins(of build: Int) async throws -> [Platform: StepOrigin] {
        try Self.origins(try await pool.query(Self.origins(of: build)))
    }

    static func origins(of build: Int) -> SQL {
        "SELECT platform, origin FROM build_steps WHERE build_id = \(build) AND platform IS NOT NULL AND origin IS NOT NULL"
    }

    static func origins(_ rows: PostgresRows) throws -> [Platform: StepOrigin] {
        Dictionary(
            uniqueKeysWithValues: try rows.map { row in
                (try Platform(row.decode(String.self, "platform")), try row.decode(PostgresJSON<StepOrigin>.self, "origin").value)
            })
    }

    /// Returns the rebuilds that asked for a build, the first one first.
    public func causes(of build: Int) async throws -> [BuildCause] {
        try Self.causes(try await pool.query(Self.causes(of: build)))
    }

    static func causes(of build: Int) -> SQL {
        """
        SELECT r.id, r.compose_id, r.reason FROM rebuild_images ri JOIN rebuilds r ON r.id = ri.rebuild_id
        WHERE ri.build_id = \(build) ORDER BY r.id
        """
    }

    static func causes(_ rows: PostgresRows) throws -> [BuildCause] {
        try rows.map { row in
            let reason = try row.decode(PostgresJSON<RebuildReason>.self, "reason").value
            return BuildCause(
                rebuild: try row.decode(Int.self, "id"), compose: try row.decode(Int.self, "compose_id"), advisory: reason.advisory,
                cves: reason.cves)
        }
    }
}
