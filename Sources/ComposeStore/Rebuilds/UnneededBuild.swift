public import ImageModel
import Postgres

extension ComposeStore {
    /// Ends the build of a step at once if it is a build of a rebuild, nothing of it was built yet, and
    /// nothing in the image is older any more. That is so if another rebuild has built the image meanwhile.
    /// The build is done with the digest that the image has already.
    ///
    /// - Returns: The digest of the manifest list, or `nil` if the image must be built.
    public func finishIfUnneeded(_ lease: StepLease) async throws -> ImageDigest? {
        guard lease.step.platform != nil else { return nil }
        return try await changingBuilds { connection in
            let rows = try await connection.query(
                """
                SELECT b.image_id FROM build_steps s JOIN builds b ON b.id = s.build_id
                WHERE s.id = \(lease.id) AND s.state = 1 AND s.lease_token = \(lease.token) AND b.rebuild_id IS NOT NULL
                AND NOT EXISTS (SELECT FROM build_steps o WHERE o.build_id = b.id AND o.state = 2) FOR UPDATE OF s
                """)
            guard let image = try rows.first?.decode(Int.self, "image_id"),
                let manifests = try await manifestsWithoutOlder(lease.step.build, image, on: connection),
                let digest = try await newestDigest(of: image, on: connection)
            else { return nil }
            try await close(lease, as: "done", on: connection)
            try await finish(lease.step.build, digest: digest, manifests: manifests, on: connection)
            return digest
        }
    }

    /// Returns the manifests of the image on the platforms of a build, or `nil` if one of them has an older
    /// package or may have one.
    private func manifestsWithoutOlder(
        _ build: Int, _ image: Int, on connection: PostgresConnection
    ) async throws -> [Platform: ImageDigest]? {
        let plans = try await connection.query("SELECT findings FROM rebuild_images WHERE build_id = \(build)").map {
            try $0.decode(PostgresJSON<[RebuildPlan.PlatformFindings]>.self, "findings").value
        }
        // An image whose packages are not known is built without a finding.
        guard !plans.isEmpty, plans.allSatisfy({ !$0.isEmpty }) else { return nil }
        var newest: [Platform: [PackageLine: EVR]] = [:]
        for platform in plans.joined() {
            for finding in platform.findings {
                newest[platform.platform, default: [:]].merge([finding.installed.line: finding.newest], uniquingKeysWith: max)
            }
        }
        let known = try await connection.query(
            """
            SELECT s.platform, m.digest FROM build_steps s
            LEFT JOIN image_manifests m ON m.image_id = \(image) AND m.platform = s.platform AND EXISTS (
                SELECT FROM contents c WHERE c.digest = m.digest AND c.state <> 'unknown'
            ) WHERE s.build_id = \(build) AND s.platform IS NOT NULL
            """)
        var manifests: [Platform: ImageDigest] = [:]
        for row in known {
            guard let digest = try row.decode(String?.self, "digest") else { return nil }
            manifests[try Platform(row.decode(String.self, "platform"))] = try ImageDigest(digest)
        }
        let names = Set(newest.values.flatMap { $0.keys.map(\.name) }).sorted()
        let installed = try await connection.query(
            """
            SELECT m.platform, \(fragment: InstalledPackage.columns) FROM image_manifests m JOIN contents c ON c.digest = m.digest
            JOIN content_packages cp ON cp.content_id = c.id JOIN packages p ON p.id = cp.package_id
            WHERE m.image_id = \(image) AND p.name = ANY(\(names))
            """)
        for row in installed {
            let package = try InstalledPackage(row)
            if let wanted = newest[try Platform(row.decode(String.self, "platform"))]?[package.line], package.evr < wanted { return nil }
        }
        return manifests
    }

    /// Returns the digest that a tag of the image showed last.
    private func newestDigest(of image: Int, on connection: PostgresConnection) async throws -> ImageDigest? {
        try await connection.query("SELECT digest FROM published_tags WHERE image_id = \(image) ORDER BY seen_at DESC, tag DESC LIMIT 1")
            .first.map { try ImageDigest($0.decode(String.self, "digest")) }
    }

    private func finish(
        _ build: Int, digest: ImageDigest, manifests: [Platform: ImageDigest], on connection: PostgresConnection
    ) async throws {
        let platforms = manifests.keys.sorted()
        _ = try await connection.query(
            """
            UPDATE attempts a SET ended_at = now(), outcome = 'canceled' FROM build_steps s
            WHERE s.build_id = \(build) AND a.step_id = s.id AND a.ended_at IS NULL
            """)
        _ = try await connection.query(
            """
            UPDATE build_steps s SET state = 2, blocked_by = 0, state_reason = NULL, lease_token = NULL, lease_expires_at = NULL,
                digest = coalesce((
                    SELECT n.digest FROM unnest(\(platforms.map(\.description)), \(platforms.compactMap { manifests[$0]?.description }))
                        AS n (platform, digest) WHERE n.platform = s.platform
                ), \(digest.description))
            WHERE s.build_id = \(build) AND s.state IN (0, 1)
            """)
        _ = try await connection.query(
            """
            UPDATE builds SET state = 2, digest = \(digest.description), time_done = now(),
                state_reason = 'Nothing in the image is older any more, so it was not built again.'
            WHERE id = \(build) AND state = 1
            """)
        try await letBegin(buildsAfter: build, on: connection)
    }
}
