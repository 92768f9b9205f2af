public import ImageModel
import Postgres

extension ComposeStore {
    /// Returns the images in use that have an older build of one of the packages, and those whose contents
    /// are unknown.
    ///
    /// PostgreSQL finds the builds of these packages by name and architecture. They are few, and are
    /// compared here as RPM compares them.
    ///
    /// - Parameter packages: For example the packages of a compose. Of several builds of one package, the
    ///   newest counts.
    public func images(olderThan packages: [InstalledPackage]) async throws -> AffectedImages {
        let newest = packages.newest
        let lines = newest.keys.sorted()
        let builds = try await pool.query(
            """
            SELECT p.id, \(fragment: InstalledPackage.columns) FROM packages p
            WHERE (p.name, p.arch) IN (SELECT * FROM unnest(\(lines.map(\.name)), \(lines.map(\.arch))))
            """)
        var findings: [Int: AffectedImages.Finding] = [:]
        for row in builds {
            let installed = try InstalledPackage(row)
            guard let newest = newest[installed.line], installed.evr < newest else { continue }
            findings[try row.decode(Int.self, "id")] = AffectedImages.Finding(installed: installed, newest: newest)
        }
        return AffectedImages(affected: try await images(with: findings), unknown: try await imagesOfUnknownContents())
    }

    private func images(with findings: [Int: AffectedImages.Finding]) async throws -> [AffectedImages.Affected] {
        guard !findings.isEmpty else { return [] }
        let rows = try await pool.query(
            """
            SELECT m.image_id, m.platform, m.digest, array_agg(cp.package_id) AS packages
            FROM content_packages cp JOIN contents c ON c.id = cp.content_id
            JOIN image_manifests m ON m.digest = c.digest JOIN images i ON i.id = m.image_id
            WHERE cp.package_id = ANY(\(findings.keys.sorted())) AND i.removed_at IS NULL
            GROUP BY m.image_id, m.platform, m.digest ORDER BY m.image_id, m.platform
            """)
        return try rows.map { row in
            AffectedImages.Affected(
                image: try row.decode(Int.self, "image_id"), platform: try Platform(row.decode(String.self, "platform")),
                digest: try ImageDigest(row.decode(String.self, "digest")),
                findings: try row.decode([Int].self, "packages").compactMap { findings[$0] }
                    .sorted { $0.installed.line < $1.installed.line })
        }
    }

    private func imagesOfUnknownContents() async throws -> [AffectedImages.Unknown] {
        try await pool.query(
            """
            SELECT m.image_id, m.platform, m.digest, c.problem
            FROM image_manifests m JOIN images i ON i.id = m.image_id LEFT JOIN contents c ON c.digest = m.digest
            WHERE NOT m.is_known AND i.removed_at IS NULL AND (c.id IS NULL OR c.state = 'unknown') ORDER BY m.image_id, m.platform
            """
        ).map { row in
            AffectedImages.Unknown(
                image: try row.decode(Int.self, "image_id"), platform: try Platform(row.decode(String.self, "platform")),
                digest: try ImageDigest(row.decode(String.self, "digest")), problem: try row.decode(String?.self, "problem"))
        }
    }
}
