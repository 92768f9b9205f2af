public import ImageModel
import Postgres

/// One page of a list of rebuilds, with the newest first.
public struct RebuildPage: Sendable {
    public var items: [Rebuild]
    public var total: Int
}

/// The outcome of canceling a rebuild.
public enum RebuildCancellation: Sendable {
    /// The builds that no other rebuild needs are `failed` now.
    case canceled(Rebuild)
    case notAllowed(String)
}

extension ComposeStore {
    /// Carries out the plan of a rebuild that waited for its compose.
    ///
    /// - Returns: `nil` if the rebuild does not wait any more.
    /// - Throws: ``ComposeNotUsable`` if the compose is gone.
    public func plan(_ rebuild: Int, as plan: RebuildPlan) async throws -> Rebuild? {
        try await changingBuilds { connection in
            let waiting = try await connection.query(
                "SELECT r.compose_id FROM rebuilds r WHERE r.id = \(rebuild) AND \(fragment: Rebuild.waits) FOR UPDATE")
            guard let compose = try waiting.first?.decode(Int.self, "compose_id") else { return nil }
            try await use([compose], on: connection)
            try await carryOut(plan, of: rebuild, on: connection)
            return try await self.rebuild(rebuild, on: connection)
        }
    }

    /// Records that no plan can be made for a rebuild that waits.
    public func fail(rebuild: Int, because problem: String) async throws {
        _ = try await pool.query(
            "UPDATE rebuilds r SET problem = \(problem) WHERE r.id = \(rebuild) AND \(fragment: Rebuild.waits)")
    }

    /// Returns the rebuilds that wait although their compose has ended.
    public func rebuildsToPlan() async throws -> [Rebuild] {
        try await pool.query(
            """
            SELECT \(fragment: Rebuild.columns) FROM rebuilds r JOIN composes c ON c.id = r.compose_id
            WHERE \(fragment: Rebuild.waits) AND c.state IN (2, 3, 4) ORDER BY r.id
            """
        ).map(Rebuild.init)
    }

    /// Makes the builds of a rebuild.
    func carryOut(_ plan: RebuildPlan, of id: Int, on connection: PostgresConnection) async throws {
        let rebuild = try await self.rebuild(id, on: connection)
        _ = try await connection.query("UPDATE rebuilds SET planned_at = now() WHERE id = \(id)")
        /// The builds of this rebuild by their images.
        var builds: [Int: Int] = [:]
        for (number, planned) in plan.rows.enumerated() {
            var row = planned
            if row.decision == .build || row.decision == .join {
                if let definition = try await definition(of: row.image, on: connection) {
                    let new = NewBuild(
                        image: row.image, owner: rebuild.owner, request: BuildRequest(definition, priority: rebuild.priority),
                        dateTag: rebuild.dateTag, composes: [rebuild.compose], rebuild: id, parents: row.parents.compactMap { builds[$0] })
                    if let open = try await join(new, for: rebuild.compose, on: connection) {
                        row.decision = .join
                        builds[row.image] = open
                    } else {
                        row.decision = .build
                        builds[row.image] = try await insert(new, on: connection)
                    }
                } else {
                    row.decision = .excluded
                    row.reason = "The image was removed."
                }
            }
            _ = try await connection.query(
                """
                INSERT INTO rebuild_images (rebuild_id, image_id, position, decision, reason, parents, findings, build_id)
                VALUES (\(id), \(row.image), \(number + 1), \(row.decision.rawValue), \(row.reason), \(row.parents),
                    \(PostgresJSON(row.findings)), \(builds[row.image]))
                """)
        }
    }

    private func definition(of image: Int, on connection: PostgresConnection) async throws -> ImageDefinition? {
        try await connection.query("SELECT definition FROM images WHERE id = \(image) AND removed_at IS NULL")
            .first?.decode(PostgresJSON<ImageDefinition>.self, "definition").value
    }

    /// Finds an open build of a rebuild that does the work of a new one. A build that has not begun gets
    /// the compose in addition. A build that has begun must have it. Either must wait for the parents of
    /// the new one already.
    private func join(_ new: NewBuild, for compose: Int, on connection: PostgresConnection) async throws -> Int? {
        let rows = try await connection.query(
            """
            SELECT b.id FROM builds b
            WHERE b.image_id = \(new.image) AND b.rebuild_id IS NOT NULL AND b.request = \(PostgresJSON(new.request))
            AND (
                b.state = 0
                OR b.state = 1 AND EXISTS (SELECT FROM build_composes c WHERE c.build_id = b.id AND c.compose_id = \(compose))
            )
            AND \(new.parents) <@ ARRAY(SELECT w.waits_for FROM build_waits w WHERE w.build_id = b.id)
            ORDER BY b.id DESC LIMIT 1 FOR UPDATE
            """)
        guard let open = try rows.first?.decode(Int.self, "id") else { return nil }
        _ = try await connection.query(
            "INSERT INTO build_composes (build_id, compose_id) VALUES (\(open), \(compose)) ON CONFLICT DO NOTHING")
        return open
    }

    /// Returns the rebuild with that id and its plan, or `nil` if no rebuild has that id.
    public func rebuild(_ id: Int) async throws -> Rebuild? {
        try await pool.query("SELECT \(fragment: Rebuild.columns) FROM rebuilds r WHERE r.id = \(id)").first.map(Rebuild.init)
    }

    /// Returns a rebuild that exists.
    func rebuild(_ id: Int, on connection: PostgresConnection) async throws -> Rebuild {
        let rows = try await connection.query("SELECT \(fragment: Rebuild.columns) FROM rebuilds r WHERE r.id = \(id)")
        return try Rebuild(rows[rows.startIndex])
    }

    /// Returns one page of rebuilds.
    public func rebuilds(page: Int = 1, perPage: Int = 10) async throws -> RebuildPage {
        let page = try await self.page(
            PagePlace(page: page, perPage: perPage), of: Rebuild.columns, "FROM rebuilds r", orderedBy: "r.id DESC", read: Rebuild.init)
        return RebuildPage(items: page.items, total: page.total)
    }

    /// Cancels the open builds of a rebuild that no other rebuild needs.
    ///
    /// - Returns: `nil` if there is no such rebuild.
    public func cancelRebuild(_ id: Int, by actor: Actor) async throws -> RebuildCancellation? {
        try await changingBuilds { connection in
            let rows = try await connection.query("SELECT owner FROM rebuilds WHERE id = \(id)")
            guard let owner = try rows.first?.decode(String.self, "owner") else { return nil }
            guard actor.isAdmin || actor.name == owner else {
                return .notAllowed("only \(owner), the owner of rebuild \(id), or an admin can cancel it")
            }
            // A rebuild whose compose has not ended has no builds, and only gives up waiting.
            _ = try await connection.query("UPDATE rebuilds SET canceled_by = \(actor.name) WHERE id = \(id) AND canceled_by IS NULL")
            let builds = try await connection.query(
                """
                SELECT b.id FROM rebuild_images ri JOIN builds b ON b.id = ri.build_id
                WHERE ri.rebuild_id = \(id) AND b.state IN (0, 1) AND NOT EXISTS (
                    SELECT FROM rebuild_images o JOIN rebuilds r ON r.id = o.rebuild_id WHERE o.build_id = b.id AND r.canceled_by IS NULL
                ) ORDER BY b.id
                """
            ).map { try $0.decode(Int.self, "id") }
            try await cancel(builds, by: actor.name, on: connection)
            return .canceled(try await rebuild(id, on: connection))
        }
    }
}
