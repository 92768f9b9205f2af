public import ImageModel
import Postgres

extension ComposeStore {
    /// Makes the builds of a plan for a rule, as a rebuild of the rule's owner.
    ///
    /// - Returns: `nil` if the rule has ended or the look has taken too long. Nothing was stored then.
    /// - Throws: ``ComposeNotUsable`` if the compose is gone.
    public func submitRebuild(
        _ plan: RebuildPlan, for compose: Int, selection: RebuildSelection, by look: RuleLook, dateTag: ImageTag
    ) async throws -> Rebuild? {
        try await changingBuilds { connection in
            guard try await holds(look, on: connection) else { return nil }
            try await use([compose], on: connection)
            let rows = try await connection.query(
                """
                INSERT INTO rebuilds (owner, compose_id, reason, selection, date_tag, rule_id)
                VALUES (\(look.rule.owner), \(compose), \(PostgresJSON(RebuildReason())), \(PostgresJSON(selection)), \(dateTag.text),
                    \(look.rule.id))
                RETURNING id
                """)
            let id = try rows[rows.startIndex].decode(Int.self, "id")
            try await carryOut(plan, of: id, on: connection)
            _ = try await connection.query(
                """
                INSERT INTO rule_builds (rule_id, build_id, image_id, cause)
                SELECT \(look.rule.id), build_id, image_id, \(RuleCause.compose(compose).description) FROM rebuild_images
                WHERE rebuild_id = \(id) AND build_id IS NOT NULL ON CONFLICT DO NOTHING
                """)
            return try await rebuild(id, on: connection)
        }
    }

    /// Asks for builds of images that the images below have become newer than. An image with an open build
    /// is left out.
    ///
    /// - Returns: The builds. None if the rule has ended or the look has taken too long.
    public func submitBuilds(of images: [Int: RuleCause], by look: RuleLook, dateTag: ImageTag) async throws -> [Int] {
        try await changingBuilds { connection in
            guard try await holds(look, on: connection) else { return [] }
            let rows = try await connection.query(
                """
                SELECT i.id, i.definition FROM images i WHERE i.id = ANY(\(images.keys.sorted())) AND i.removed_at IS NULL
                AND NOT EXISTS (SELECT FROM builds b WHERE b.image_id = i.id AND b.state IN (0, 1)) ORDER BY i.id
                """)
            var builds: [Int] = []
            for row in rows {
                let image = try row.decode(Int.self, "id")
                guard let cause = images[image] else { continue }
                let definition = try row.decode(PostgresJSON<ImageDefinition>.self, "definition").value
                let build = try await insert(
                    NewBuild(image: image, owner: look.rule.owner, request: BuildRequest(definition), dateTag: dateTag), on: connection)
                _ = try await connection.query(
                    """
                    INSERT INTO rule_builds (rule_id, build_id, image_id, cause)
                    VALUES (\(look.rule.id), \(build), \(image), \(cause.description))
                    """)
                builds.append(build)
            }
            return builds
        }
    }

    /// Whether the worker of a look may still write for the rule.
    private func holds(_ look: RuleLook, on connection: PostgresConnection) async throws -> Bool {
        try await !connection.query("SELECT 1 AS one FROM rules r WHERE \(fragment: look.guardCondition) FOR UPDATE").isEmpty
    }
}
