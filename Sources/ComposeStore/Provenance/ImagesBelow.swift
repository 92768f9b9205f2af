public import ImageModel
import Postgres

extension ComposeStore {
    /// Returns the images whose layers are a beginning of those of some contents, and the image itself.
    ///
    /// - Parameter package: The name of the package whose builds are returned.
    public func images(below contents: Contents, with package: String) async throws -> [ImageBelow] {
        let layers = contents.layers.map(\.description)
        let rows = try await pool.query(
            """
            SELECT c.id, c.digest, c.state, cardinality(c.layers) AS layers, made.build_id,
                coalesce(made.repository, used.repository, base.reference) AS name
            FROM (
                SELECT l.layers[1:n] AS layers FROM (SELECT \(layers)::text[] AS layers) l, generate_series(1, cardinality(l.layers)) n
            ) beginning
            JOIN contents c ON c.layers = beginning.layers AND c.platform = \(contents.platform.description)
            LEFT JOIN LATERAL (
                SELECT s.build_id, i.repository FROM build_steps s JOIN builds b ON b.id = s.build_id JOIN images i ON i.id = b.image_id
                WHERE s.digest = c.digest AND s.platform IS NOT NULL ORDER BY s.id LIMIT 1
            ) made ON true
            LEFT JOIN LATERAL (
                SELECT i.repository FROM image_manifests m JOIN images i ON i.id = m.image_id WHERE m.digest = c.digest ORDER BY i.id LIMIT 1
            ) used ON true
            LEFT JOIN LATERAL (
                SELECT m.reference FROM base_manifests m WHERE m.digest = c.digest ORDER BY m.reference LIMIT 1
            ) base ON true
            """)
        var packages: [Int: [InstalledPackage]] = [:]
        let ids = try rows.map { try $0.decode(Int.self, "id") }
        for row in try await pool.query(
            """
            SELECT cp.content_id, \(fragment: InstalledPackage.columns) FROM content_packages cp JOIN packages p ON p.id = cp.package_id
            WHERE cp.content_id = ANY(\(ids)) AND p.name = \(package)
            """)
        {
            packages[try row.decode(Int.self, "content_id"), default: []].append(try InstalledPackage(row))
        }
        return try rows.map { row in
            let isKnown = try row.decode(String.self, "state") != "unknown"
            return ImageBelow(
                digest: try ImageDigest(row.decode(String.self, "digest")), layers: try row.decode(Int.self, "layers"),
                packages: isKnown ? packages[try row.decode(Int.self, "id")] ?? [] : nil, name: try row.decode(String?.self, "name"),
                build: try row.decode(Int?.self, "build_id"))
        }
    }

    /// Returns the rebuilds that asked for a build because the image had an older build of a package on a
    /// platform.
    public func causes(of build: Int, for package: InstalledPackage, on platform: Platform) async throws -> [BuildCause] {
        let rows = try await pool.query(
            "SELECT rebuild_id, findings FROM rebuild_images WHERE build_id = \(build) ORDER BY rebuild_id")
        let wanting = Set(
            try rows.filter { row in
                try row.decode(PostgresJSON<[RebuildPlan.PlatformFindings]>.self, "findings").value.contains { found in
                    found.platform == platform && found.findings.contains { $0.installed.line == package.line }
                }
            }.map { try $0.decode(Int.self, "rebuild_id") })
        return try await causes(of: build).filter { wanting.contains($0.rebuild) }
    }
}
