public import Foundation
public import ImageModel
import Postgres

/// The right of one worker to look at the tags of all images.
public struct LookTurn: Hashable, Sendable {
    fileprivate let token: UUID
    let length: Duration
}

/// A *tag look* is an image with the tag that this service looks at, and the digest that the tag showed
/// last.
public struct TagLook: Hashable, Sendable {
    public let image: Int
    public let repository: ImageRepository
    public let tag: ImageTag
    /// Nil if the tag was never seen.
    public let digest: ImageDigest?
    /// Whether the manifests for the platforms are known.
    public let hasManifests: Bool
}

/// Looks at the tags of images in registries. Others may push to these tags.
extension ComposeStore {
    private static let work = "looks at images"

    /// Takes the turn for a round of looks. The next turn can be taken after `length`, by any worker.
    ///
    /// - Returns: `nil` if the round is not due yet.
    public func takeLookTurn(for length: Duration) async throws -> LookTurn? {
        let token = UUID()
        let taken = try await pool.query(
            """
            INSERT INTO turns AS t (work, token, expires_at) VALUES (\(Self.work), \(token), now() + \(fragment: interval(length)))
            ON CONFLICT (work) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at WHERE t.expires_at < now()
            """)
        return taken.affectedRows == 1 ? LookTurn(token: token, length: length) : nil
    }

    /// Keeps the turn for another `length` from now on.
    ///
    /// - Returns: `false` if another worker has the turn by now.
    public func keep(_ turn: LookTurn) async throws -> Bool {
        try await pool.query(
            """
            UPDATE turns SET expires_at = now() + \(fragment: interval(turn.length))
            WHERE work = \(Self.work) AND token = \(turn.token)
            """
        ).affectedRows == 1
    }

    /// Returns the images that were not removed, with the tag to look at: `latest` if builds move it, else
    /// the tag that was published last.
    ///
    /// - Parameter image: Only images with a greater number are returned.
    public func tagLooks(after image: Int, limit: Int) async throws -> [TagLook] {
        try await pool.query(
            """
            SELECT i.id, i.repository, l.tag, t.digest,
                EXISTS (SELECT FROM image_manifests m WHERE m.image_id = i.id) AS has_manifests
            FROM images i
            CROSS JOIN LATERAL (
                SELECT CASE WHEN (i.definition->>'movesLatest')::boolean THEN 'latest' ELSE coalesce((
                    SELECT p.tag FROM published_tags p WHERE p.image_id = i.id ORDER BY p.seen_at DESC, p.tag DESC LIMIT 1
                ), 'latest') END AS tag
            ) l
            LEFT JOIN published_tags t ON t.image_id = i.id AND t.tag = l.tag
            WHERE i.removed_at IS NULL AND i.id > \(image) ORDER BY i.id LIMIT \(limit)
            """
        ).map { row in
            TagLook(
                image: try row.decode(Int.self, "id"), repository: try ImageReference(row.decode(String.self, "repository")).repository,
                tag: try ImageTag(row.decode(String.self, "tag")),
                digest: try row.decode(String?.self, "digest").map { try ImageDigest($0) },
                hasManifests: try row.decode(Bool.self, "has_manifests"))
        }
    }

    /// Records the result of a look, unless a build has moved the tag meanwhile.
    ///
    /// - Parameters:
    ///   - digest: The digest that the tag shows now. Nil if the registry has no such tag any more.
    ///   - manifests: The manifest for each platform. They are those in use from now on.
    /// - Returns: Whether it was recorded.
    public func record(_ look: TagLook, digest: ImageDigest?, manifests: [Platform: ImageDigest]) async throws -> Bool {
        try await changingBuilds { connection in
            let shown = try await connection.query(
                "SELECT digest FROM published_tags WHERE image_id = \(look.image) AND tag = \(look.tag.text) FOR UPDATE"
            ).first?.decode(String.self, "digest")
            guard shown == look.digest?.description else { return false }
            if let digest {
                try await record(look.image, shows: digest, at: [look.tag], madeBy: nil, on: connection)
            } else {
                _ = try await connection.query(
                    "DELETE FROM published_tags WHERE image_id = \(look.image) AND tag = \(look.tag.text)")
            }
            try await use(manifests, of: look.image, on: connection)
            return true
        }
    }

    /// Records that the registry has the manifest list of finished builds no more.
    public func recordRemoval(of digest: ImageDigest, image: Int) async throws {
        _ = try await pool.query(
            """
            UPDATE builds SET state = 3, state_reason = 'The registry does not have the image any more.'
            WHERE image_id = \(image) AND digest = \(digest.description) AND state = 2
            """)
    }
}
