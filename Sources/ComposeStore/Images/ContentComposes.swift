import ComposeModel
public import ImageModel
import Postgres

/// A build whose image has a content waits for the compose of it, as it waits for other builds.
extension ComposeStore {
    /// Returns the compose of an image's content for a new build, or nil if the image has no content. An
    /// equal request of the same owner that is not done yet is shared.
    func contentCompose(for new: NewBuild, on connection: PostgresConnection) async throws -> Int? {
        let definition = new.request.definition
        guard var request = definition.content?.request else { return nil }
        if request.packages.isEmpty, [.repo, .tag, .pungiCompose].contains(request.sourceType) {
            request.packages = try await ownPackages(of: new.image, on: definition.platforms, on: connection)
        }
        let open = try await connection.query(
            """
            SELECT id FROM composes WHERE owner = \(new.owner) AND request = \(PostgresJSON(request)) AND state IN (0, 1)
            ORDER BY id DESC LIMIT 1
            """)
        if let id = try open.first?.decode(Int.self, "id") { return id }
        return try await insert(NewCompose(request, owner: new.owner), on: connection).id
    }

    /// Returns the names of the packages that an image has and that no image below it has. They are those
    /// that its own instructions have installed.
    private func ownPackages(of image: Int, on platforms: [Platform], on connection: PostgresConnection) async throws -> [String] {
        try await connection.query(
            """
            WITH own AS MATERIALIZED (
                SELECT c.id, c.layers FROM image_manifests m JOIN contents c ON c.digest = m.digest
                WHERE m.image_id = \(image) AND m.platform = ANY(\(platforms.map(\.description)))
            ), below AS MATERIALIZED (
                SELECT DISTINCT own.id, p.name FROM own
                JOIN contents b ON cardinality(b.layers) BETWEEN 1 AND cardinality(own.layers) - 1
                    AND b.layers = own.layers[1:cardinality(b.layers)]
                JOIN content_packages cp ON cp.content_id = b.id JOIN packages p ON p.id = cp.package_id
            )
            SELECT DISTINCT p.name FROM own JOIN content_packages cp ON cp.content_id = own.id JOIN packages p ON p.id = cp.package_id
            WHERE p.name <> 'gpg-pubkey' AND NOT EXISTS (SELECT FROM below WHERE below.id = own.id AND below.name = p.name)
            ORDER BY p.name
            """
        ).map { try $0.decode(String.self, "name") }
    }

    /// Lets builds begin whose composes have ended since they were submitted. A build fails if one of its
    /// composes has failed.
    ///
    /// - Returns: The builds that do not wait for a compose any more.
    public func endWaitsForContent() async throws -> [Int] {
        let waits: SQL = """
            b.state = 0 AND b.request->'definition' ? 'content' AND s.state = 0 AND s.platform IS NOT NULL AND s.blocked_by > (
                SELECT count(*) FROM build_waits w JOIN builds o ON o.id = w.waits_for WHERE w.build_id = b.id AND o.state IN (0, 1)
            ) AND NOT EXISTS (
                SELECT FROM build_composes u JOIN composes c ON c.id = u.compose_id WHERE u.build_id = b.id AND c.state IN (0, 1)
            )
            """
        // Mostly there is none, and then no other transaction is kept waiting.
        let candidates = try await pool.query(
            "SELECT EXISTS (SELECT FROM builds b JOIN build_steps s ON s.build_id = b.id WHERE \(fragment: waits)) AS any")
        guard try candidates[candidates.startIndex].decode(Bool.self, "any") else { return [] }
        return try await changingBuilds { connection in
            let rows = try await connection.query(
                """
                SELECT DISTINCT b.id, (
                    SELECT format('Compose %s, which has packages of the image, cannot be used: %s', c.id,
                        coalesce(c.state_reason, 'it was removed'))
                    FROM build_composes u JOIN composes c ON c.id = u.compose_id
                    WHERE u.build_id = b.id AND c.state IN (3, 4) ORDER BY c.id LIMIT 1
                ) AS problem
                FROM builds b JOIN build_steps s ON s.build_id = b.id WHERE \(fragment: waits) ORDER BY b.id
                """
            ).map { (try $0.decode(Int.self, "id"), try $0.decode(String?.self, "problem")) }
            for (build, problem) in rows {
                if let problem {
                    let sentence = problem.hasSuffix(".") ? problem : "\(problem)."
                    let failure = BuildFailure(
                        .composeNotUsable, "\(sentence) If a package is missing there, name the packages in the image's content.")
                    try await end(build, with: failure, steps: failure, on: connection)
                } else {
                    _ = try await connection.query(
                        "UPDATE build_steps SET blocked_by = blocked_by - 1 WHERE build_id = \(build) AND platform IS NOT NULL AND state = 0"
                    )
                    _ = try await connection.query("UPDATE builds SET state_reason = NULL WHERE id = \(build)")
                }
            }
            return rows.map(\.0)
        }
    }
}
