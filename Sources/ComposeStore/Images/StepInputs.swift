public import ImageModel
import Postgres

/// The records that a worker needs for a step of a build. They are read together, in one round trip.
public struct StepInputs: Sendable {
    /// The build. The manifest list finds the digests of the platforms in its steps.
    public var build: Build
    public var image: Image
    /// The manifests of the image that are in use.
    public var manifests: [Platform: ImageDigest]
    /// The images that the build is on top of and that were built for it, with their digests.
    public var parents: [ImageRepository: ImageDigest]
    /// The older packages that rebuilds want to be replaced by the build, on each platform.
    public var findings: [Platform: [AffectedImages.Finding]]
    /// The rebuilds that asked for the build, the first one first.
    public var causes: [BuildCause]
    /// How the platforms were made, for the manifest list.
    public var origins: [Platform: StepOrigin]

    /// The advisories that rebuilds name as the reason for the build.
    public var advisories: [String] { Set(causes.compactMap(\.advisory)).sorted() }
}

extension ComposeStore {
    /// Returns the records for the steps of a build, or `nil` if there is no such build.
    public func stepInputs(of build: Int) async throws -> StepInputs? {
        let rows = try await pool.transaction([
            "SELECT \(fragment: Build.columns) FROM builds b WHERE b.id = \(build)",
            "SELECT \(fragment: Image.columns) FROM images i JOIN builds b ON b.image_id = i.id WHERE b.id = \(build)",
            """
            SELECT m.platform, m.digest FROM image_manifests m JOIN builds b ON b.image_id = m.image_id WHERE b.id = \(build)
            """,
            """
            SELECT i.repository, b.digest FROM build_waits w JOIN builds b ON b.id = w.waits_for JOIN images i ON i.id = b.image_id
            WHERE w.build_id = \(build) AND w.is_parent AND b.digest IS NOT NULL ORDER BY b.id
            """,
            "SELECT findings FROM rebuild_images WHERE build_id = \(build) ORDER BY rebuild_id",
            Self.causes(of: build), Self.origins(of: build),
        ])
        guard let row = rows[0].first, let image = rows[1].first else { return nil }
        return StepInputs(
            build: try Build(row), image: try Image(image), manifests: try Self.manifests(rows[2]), parents: try Self.parents(rows[3]),
            findings: try Self.findings(rows[4]), causes: try Self.causes(rows[5]), origins: try Self.origins(rows[6]))
    }

    private static func parents(_ rows: PostgresRows) throws -> [ImageRepository: ImageDigest] {
        Dictionary(
            try rows.map { row in
                (
                    try ImageReference(row.decode(String.self, "repository")).repository,
                    try ImageDigest(row.decode(String.self, "digest"))
                )
            }, uniquingKeysWith: { $1 })
    }

    private static func findings(_ rows: PostgresRows) throws -> [Platform: [AffectedImages.Finding]] {
        var findings: [Platform: [AffectedImages.Finding]] = [:]
        for row in rows {
            for found in try row.decode(PostgresJSON<[RebuildPlan.PlatformFindings]>.self, "findings").value {
                findings[found.platform, default: []] += found.findings
            }
        }
        return findings
    }
}
