public import ImageModel
import Postgres

/// The builds of one artifact that its users ask about.
public struct ArtifactBuilds: Sendable {
    /// The build that was submitted last.
    public var newest: Build?
    /// The newest one of those that are done.
    public var done: Build?
}

extension ComposeStore {
    /// Returns the newest builds of an artifact.
    public func newestBuilds(of image: Int) async throws -> ArtifactBuilds {
        let rows = try await pool.query(
            """
            SELECT \(fragment: Build.columns) FROM builds b WHERE b.id IN (
                (SELECT max(id) FROM builds WHERE image_id = \(image)), (SELECT max(id) FROM builds WHERE image_id = \(image) AND state = 2)
            ) ORDER BY b.id DESC
            """)
        let builds = try rows.map(Build.init)
        return ArtifactBuilds(newest: builds.first, done: builds.last { $0.state == .done })
    }

    /// Returns the address of a component's git repository, or `nil` if it was never built from one. It is
    /// the address of the artifact itself, or else that of the component's artifact that was added last.
    ///
    /// - Parameter repository: The repository of the component in the registry.
    public func gitURL(of artifact: Artifact, in repository: ImageRepository) async throws -> String? {
        try await pool.query(
            """
            SELECT definition->'source'->'git'->>'url' AS url FROM images
            WHERE definition->'artifact'->>'component' = \(artifact.component) AND definition->'source' ? 'git'
                AND starts_with(repository, \("\(repository):")) AND removed_at IS NULL
            ORDER BY repository = \("\(repository):\(artifact.movingTag)") DESC, id DESC LIMIT 1
            """
        ).first?.decode(String?.self, "url")
    }
}
