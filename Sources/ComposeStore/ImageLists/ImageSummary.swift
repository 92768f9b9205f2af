import Foundation
public import ImageModel
import Postgres

/// An *image summary* is the present state of an image: its manifests in use, its tags and its newest
/// build.
public struct ImageSummary: Hashable, Sendable {
    /// A manifest in use, with the state of its contents.
    public struct Manifest: Hashable, Sendable {
        public enum Knowledge: Hashable, Sendable {
            case read, none, unread
            /// The contents could not be read, for this reason.
            case unknown(String)
        }

        public let platform: Platform
        public let digest: ImageDigest
        public let contents: Knowledge
    }

    public var manifests: [Manifest] = []
    /// The tags, the newest first. At most 20.
    public var tags: [PublishedTag] = []
    public var latestBuild: (id: Int, state: BuildState)? { newest.map { ($0.id, $0.state) } }
    fileprivate var newest: NewestBuild?

    fileprivate struct NewestBuild: Hashable, Sendable {
        let id: Int
        let state: BuildState
    }

    public init() {}
}

extension ComposeStore {
    /// Returns the state of each of these images.
    public func summaries(of images: [Int]) async throws -> [Int: ImageSummary] {
        guard !images.isEmpty else { return [:] }
        let rows = try await pool.query(
            """
            SELECT i.id, (
                SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'platform', m.platform, 'digest', m.digest, 'state', c.state, 'problem', c.problem) ORDER BY m.platform), '[]')
                FROM image_manifests m LEFT JOIN contents c ON c.digest = m.digest WHERE m.image_id = i.id
            ) AS manifests, (
                SELECT coalesce(jsonb_agg(jsonb_build_object(
                    'tag', t.tag, 'digest', t.digest, 'build', t.build_id, 'seen', extract(epoch FROM t.seen_at)::float8)
                    ORDER BY t.seen_at DESC, t.tag), '[]')
                FROM (SELECT * FROM published_tags p WHERE p.image_id = i.id ORDER BY p.seen_at DESC, p.tag LIMIT 20) t
            ) AS tags, b.id AS build, b.state
            FROM images i LEFT JOIN LATERAL (
                SELECT n.id, n.state FROM builds n WHERE n.image_id = i.id ORDER BY n.id DESC LIMIT 1
            ) b ON true
            WHERE i.id = ANY(\(images))
            """)
        return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.decode(Int.self, "id"), try ImageSummary($0)) })
    }
}

extension ImageSummary {
    private struct ManifestRow: Decodable, Sendable {
        let platform: String
        let digest: ImageDigest
        let state: String?
        let problem: String?
    }

    private struct TagRow: Decodable, Sendable {
        let tag: ImageTag
        let digest: ImageDigest
        let build: Int?
        let seen: Double
    }

    fileprivate init(_ row: PostgresRow) throws {
        manifests = try row.decode(PostgresJSON<[ManifestRow]>.self, "manifests").value.map { manifest in
            let contents: Manifest.Knowledge =
                switch manifest.state {
                case "read": .read
                case "none": .none
                case nil: .unread
                default: .unknown(manifest.problem ?? "")
                }
            return Manifest(platform: try Platform(manifest.platform), digest: manifest.digest, contents: contents)
        }
        tags = try row.decode(PostgresJSON<[TagRow]>.self, "tags").value.map {
            PublishedTag(tag: $0.tag, digest: $0.digest, build: $0.build, timeSeen: Date(timeIntervalSince1970: $0.seen))
        }
        if let build = try row.decode(Int?.self, "build"), let state = try row.decode(Int?.self, "state") {
            newest = NewestBuild(id: build, state: try Build.state(state))
        }
    }
}
