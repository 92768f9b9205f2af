public import ImageModel
import Postgres

/// The *planning facts* are the facts about images that a plan of rebuilds needs, besides the packages.
public struct PlanningFacts: Sendable {
    /// The images that the plan is about.
    public var images: [Image]
    /// The inputs of the latest build of each image, by the id of the image.
    public var pins: [Int: BuildPins]
    /// How the platforms of each image were made last, by the id of the image.
    public var origins: [Int: [Platform: StepOrigin]] = [:]
    /// The number of all images of this service.
    public var total: Int
}

/// The layers of an image on one platform, of the manifest that is in use or of an earlier build.
public struct ImageLayers: Hashable, Sendable {
    public let image: Int
    public let platform: Platform
    public let isInUse: Bool
    /// From the base upwards.
    public let layers: [ImageDigest]
}

/// The manifest of a base on one platform, with its contents.
public struct KnownBase: Sendable {
    public let digest: ImageDigest
    /// Nil if they were not read yet.
    public let contents: Contents?
}

extension ComposeStore {
    /// Returns the facts about some images. Images that were removed are left out.
    public func planningFacts(about ids: Set<Int>) async throws -> PlanningFacts {
        let ids = ids.sorted()
        let images = try await pool.query(
            "SELECT \(fragment: Image.columns) FROM images i WHERE i.id = ANY(\(ids)) AND i.removed_at IS NULL ORDER BY i.repository"
        ).map(Image.init)
        let pins = try await pool.query(
            """
            SELECT DISTINCT ON (image_id) image_id, pins FROM builds
            WHERE image_id = ANY(\(ids)) AND pins IS NOT NULL ORDER BY image_id, id DESC
            """
        ).map { row in (try row.decode(Int.self, "image_id"), try row.decode(PostgresJSON<BuildPins>.self, "pins").value) }
        let total = try await pool.query("SELECT count(*) AS total FROM images WHERE removed_at IS NULL")
        return PlanningFacts(
            images: images, pins: Dictionary(uniqueKeysWithValues: pins), origins: try await origins(ofImages: ids),
            total: try total[total.startIndex].decode(Int.self, "total"))
    }

    /// Returns how the platforms of images were made last. Of many builds that have failed before, only the
    /// newest ones are looked at.
    private func origins(ofImages ids: [Int]) async throws -> [Int: [Platform: StepOrigin]] {
        let rows = try await pool.query(
            """
            SELECT DISTINCT ON (i.id, s.platform) i.id AS image_id, s.platform, s.origin
            FROM unnest(\(ids)) AS i (id) CROSS JOIN LATERAL (
                SELECT b.id FROM builds b WHERE b.image_id = i.id ORDER BY b.id DESC LIMIT 100
            ) b JOIN build_steps s ON s.build_id = b.id AND s.platform IS NOT NULL AND s.origin IS NOT NULL
            ORDER BY i.id, s.platform, b.id DESC
            """)
        var origins: [Int: [Platform: StepOrigin]] = [:]
        for row in rows {
            origins[try row.decode(Int.self, "image_id"), default: [:]][try Platform(row.decode(String.self, "platform"))] =
                try row.decode(PostgresJSON<StepOrigin>.self, "origin").value
        }
        return origins
    }

    /// Returns the layers of images, those of the manifests in use and those of the latest builds.
    public func layers(of ids: Set<Int>) async throws -> [ImageLayers] {
        try await pool.query(
            """
            SELECT m.image_id, m.platform, c.layers, true AS is_in_use
            FROM image_manifests m JOIN contents c ON c.digest = m.digest WHERE m.image_id = ANY(\(ids.sorted()))
            UNION ALL
            SELECT i.id, s.platform, c.layers, false FROM unnest(\(ids.sorted())) AS i (id) CROSS JOIN LATERAL (
                SELECT b.id FROM builds b WHERE b.image_id = i.id AND b.state = 2 ORDER BY b.id DESC LIMIT 5
            ) b JOIN build_steps s ON s.build_id = b.id AND s.platform IS NOT NULL JOIN contents c ON c.digest = s.digest
            """
        ).map { row in
            ImageLayers(
                image: try row.decode(Int.self, "image_id"), platform: try Platform(row.decode(String.self, "platform")),
                isInUse: try row.decode(Bool.self, "is_in_use"), layers: try row.decode([String].self, "layers").map { try ImageDigest($0) }
            )
        }
    }

    /// Returns the platforms of all images that this service builds.
    public func platformsOfImages() async throws -> [ImageRepository: [Platform]] {
        let rows = try await pool.query(
            "SELECT repository, definition->'platforms' AS platforms FROM images WHERE removed_at IS NULL")
        return Dictionary(
            try rows.map { row in
                (
                    try ImageReference(row.decode(String.self, "repository")).repository,
                    try row.decode(PostgresJSON<[Platform]>.self, "platforms").value
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Returns those of the repositories that this service builds.
    public func repositoriesBuilt(among repositories: Set<ImageRepository>) async throws -> Set<ImageRepository> {
        let names = Dictionary(repositories.map { ($0.description, $0) }) { first, _ in first }
        let rows = try await pool.query(
            "SELECT repository FROM images WHERE repository = ANY(\(names.keys.sorted())) AND removed_at IS NULL")
        return Set(try rows.compactMap { names[try $0.decode(String.self, "repository")] })
    }

    /// Records the manifests that the tag of a base shows.
    public func record(_ base: ImageReference, shows manifests: [Platform: ImageDigest]) async throws {
        let platforms = manifests.keys.sorted()
        let digests = platforms.compactMap { manifests[$0]?.description }
        try await pool.withTransaction { connection in
            _ = try await connection.query(
                """
                DELETE FROM base_manifests WHERE reference = \(base.description) AND NOT platform = ANY(\(platforms.map(\.description)))
                """)
            _ = try await connection.query(
                """
                INSERT INTO base_manifests (reference, platform, digest)
                SELECT \(base.description), n.platform, n.digest
                FROM unnest(\(platforms.map(\.description)), \(digests)) AS n (platform, digest) ORDER BY n.platform
                ON CONFLICT (reference, platform) DO UPDATE SET digest = excluded.digest, seen_at = now()
                """)
        }
    }

    /// Removes what the tags of bases showed that no image builds on any more. Their contents are no longer
    /// read.
    ///
    /// - Parameter bases: All bases of images.
    public func forgetBases(except bases: Set<ImageReference>) async throws {
        _ = try await pool.query("DELETE FROM base_manifests WHERE NOT reference = ANY(\(bases.map(\.description)))")
    }

    /// Returns the manifests of bases as their tags showed them last, with their contents.
    public func bases(_ references: Set<ImageReference>) async throws -> [ImageReference: [Platform: KnownBase]] {
        let names = Dictionary(references.map { ($0.description, $0) }) { first, _ in first }
        let rows = try await pool.query(
            "SELECT reference, platform, digest FROM base_manifests WHERE reference = ANY(\(names.keys.sorted()))")
        var contents: [ImageDigest: Contents?] = [:]
        var bases: [ImageReference: [Platform: KnownBase]] = [:]
        for row in rows {
            guard let reference = names[try row.decode(String.self, "reference")] else { continue }
            let digest = try ImageDigest(row.decode(String.self, "digest"))
            if contents[digest] == nil { contents[digest] = .some(try await self.contents(of: digest)) }
            bases[reference, default: [:]][try Platform(row.decode(String.self, "platform"))] = KnownBase(
                digest: digest, contents: contents[digest] ?? nil)
        }
        return bases
    }
}
