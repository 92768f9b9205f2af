public import ImageModel
import Postgres

/// The *followed image* is an image of this service as rules compare it with the images above it.
public struct FollowedImage: Sendable {
    public let id: Int
    public let repository: ImageRepository
    /// The tags that move with each build.
    public let movingTags: Set<String>
    /// The manifests in use.
    public let manifests: [Platform: ImageDigest]
    /// Whether a build waits or is being built.
    public let hasOpenBuild: Bool
}

extension ComposeStore {
    /// Returns the names of all images that were not removed.
    public func imageNames() async throws -> [Int: ImageRepository] {
        let rows = try await pool.query("SELECT id, repository FROM images WHERE removed_at IS NULL")
        return Dictionary(
            uniqueKeysWithValues: try rows.map { row in
                (try row.decode(Int.self, "id"), try ImageReference(row.decode(String.self, "repository")).repository)
            })
    }

    /// Returns images by their ids or names. Others are left out.
    ///
    /// - Parameter references: Images with their tags. Without a tag, `latest` is meant.
    public func followedImages(_ ids: Set<Int>, named references: Set<ImageReference>) async throws -> [FollowedImage] {
        let names = Set(references.flatMap { [$0.repository.description, $0.withDefaultTag.description] })
        return try await pool.query(
            """
            SELECT i.id, i.repository, i.definition,
                (SELECT coalesce(jsonb_object_agg(m.platform, m.digest), '{}') FROM image_manifests m WHERE m.image_id = i.id) AS manifests,
                EXISTS (SELECT FROM builds b WHERE b.image_id = i.id AND b.state IN (0, 1)) AS has_open_build
            FROM images i
            WHERE (i.id = ANY(\(ids.sorted())) OR i.repository = ANY(\(names.sorted()))) AND i.removed_at IS NULL
            ORDER BY i.id
            """
        ).map { row in
            let definition = try row.decode(PostgresJSON<ImageDefinition>.self, "definition").value
            let manifests = try row.decode(PostgresJSON<[String: ImageDigest]>.self, "manifests").value
            return FollowedImage(
                id: try row.decode(Int.self, "id"), repository: try ImageReference(row.decode(String.self, "repository")).repository,
                movingTags: definition.artifact.map { [$0.movingTag] }
                    ?? Set(definition.tags.filter { !$0.contains("{date}") } + (definition.movesLatest ? ["latest"] : [])),
                manifests: Dictionary(uniqueKeysWithValues: try manifests.map { (try Platform($0.key), $0.value) }),
                hasOpenBuild: try row.decode(Bool.self, "has_open_build"))
        }
    }
}
