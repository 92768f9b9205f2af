public import ImageModel
import Postgres

/// A manifest that is in use and whose contents are to be read.
public struct UnreadManifest: Hashable, Sendable {
    public let repository: ImageRepository
    public let platform: Platform
    public let digest: ImageDigest
}

extension ComposeStore {
    /// Records the contents of a manifest. Contents that are known already stay as they are.
    public func record(_ contents: Contents) async throws {
        let (state, problem): (String, String?) =
            switch contents.state {
            case .read: ("read", nil)
            case .none: ("none", nil)
            case .unknown(let problem): ("unknown", problem)
            }
        let statement: SQL = """
            WITH stored AS (
                INSERT INTO contents AS c (digest, platform, layers, state, problem)
                VALUES (\(contents.digest.description), \(contents.platform.description), \(contents.layers.map(\.description)), \(state),
                    \(problem))
                ON CONFLICT (digest) DO UPDATE SET layers = excluded.layers, state = excluded.state, problem = excluded.problem,
                    read_at = now() WHERE c.state = 'unknown'
                RETURNING id
            ), known AS (
                UPDATE image_manifests SET is_known = true FROM stored
                WHERE digest = \(contents.digest.description) AND \(contents.packages != nil)
            )
            SELECT id FROM stored
            """
        guard let packages = contents.packages, !packages.isEmpty else {
            _ = try await pool.query(statement)
            return
        }
        try await pool.withTransaction { connection in
            guard let id = try await connection.query(statement).first?.decode(Int.self, "id") else { return }
            let table: SQL = """
                unnest(
                    \(packages.map(\.name)), \(packages.map(\.arch)), \(packages.map(\.module)), \(packages.map(\.evr.epoch)),
                    \(packages.map(\.evr.version)), \(packages.map(\.evr.release)), \(packages.map(\.source))
                ) AS n (name, arch, module, epoch, version, release, source)
                """
            // In one order, so that two transactions never wait for each other.
            _ = try await connection.query(
                """
                INSERT INTO packages (name, arch, module, epoch, version, release, source)
                SELECT DISTINCT n.* FROM \(fragment: table) ORDER BY 1, 2, 3, 4, 5, 6, 7
                ON CONFLICT (name, arch, module, epoch, version, release, source) DO NOTHING
                """)
            _ = try await connection.query(
                """
                INSERT INTO content_packages (package_id, content_id)
                SELECT DISTINCT p.id, \(id) FROM \(fragment: table) JOIN packages p
                ON p.name = n.name AND p.arch = n.arch AND p.module IS NOT DISTINCT FROM n.module AND p.epoch = n.epoch
                    AND p.version = n.version AND p.release = n.release AND p.source IS NOT DISTINCT FROM n.source
                """)
        }
    }

    /// Returns the contents of a manifest with the packages in order of their names, or `nil` if they were
    /// not read yet.
    public func contents(of digest: ImageDigest) async throws -> Contents? {
        let rows = try await pool.query("SELECT id, platform, layers, state, problem FROM contents WHERE digest = \(digest.description)")
        guard let row = rows.first else { return nil }
        let state: Contents.State
        switch try row.decode(String.self, "state") {
        case "read":
            let packages = try await pool.query(
                """
                SELECT \(fragment: InstalledPackage.columns) FROM content_packages cp JOIN packages p ON p.id = cp.package_id
                WHERE cp.content_id = \(try row.decode(Int.self, "id")) ORDER BY p.name, p.arch, p.id
                """)
            state = .read(try packages.map(InstalledPackage.init))
        case "none": state = .none
        default: state = .unknown(try row.decode(String?.self, "problem") ?? "")
        }
        return Contents(
            digest: digest, platform: try Platform(row.decode(String.self, "platform")),
            layers: try row.decode([String].self, "layers").map { try ImageDigest($0) }, state: state)
    }

    /// Returns the manifests of an image that are in use.
    public func manifests(of image: Int) async throws -> [Platform: ImageDigest] {
        try Self.manifests(try await pool.query("SELECT platform, digest FROM image_manifests WHERE image_id = \(image)"))
    }

    static func manifests(_ rows: PostgresRows) throws -> [Platform: ImageDigest] {
        Dictionary(
            uniqueKeysWithValues: try rows.map {
                (try Platform($0.decode(String.self, "platform")), try ImageDigest($0.decode(String.self, "digest")))
            })
    }

    /// Returns manifests that are in use and whose contents were never read: those of images, then those of
    /// bases that images build on.
    ///
    /// - Parameter retry: The time after which contents that could not be read are returned as well. The
    ///   service may have learned to read them. Nil for never.
    public func unreadManifests(limit: Int, retryingAfter retry: Duration? = nil) async throws -> [UnreadManifest] {
        let oldest: SQL = retry.map { "now() - \(fragment: interval($0))" } ?? "'-infinity'"
        return try await pool.query(
            """
            SELECT repository, platform, digest FROM (
                SELECT i.repository, m.platform, m.digest, i.id FROM image_manifests m JOIN images i ON i.id = m.image_id
                WHERE NOT m.is_known AND i.removed_at IS NULL
                UNION ALL
                SELECT m.reference, m.platform, m.digest, NULL FROM base_manifests m
            ) m WHERE NOT EXISTS (
                SELECT FROM contents c WHERE c.digest = m.digest AND (c.state <> 'unknown' OR c.read_at >= \(fragment: oldest))
            )
            ORDER BY id NULLS LAST, repository, platform LIMIT \(limit)
            """
        ).map { row in
            UnreadManifest(
                repository: try ImageReference(row.decode(String.self, "repository")).repository,
                platform: try Platform(row.decode(String.self, "platform")), digest: try ImageDigest(row.decode(String.self, "digest")))
        }
    }
}

extension InstalledPackage {
    /// The columns of `packages AS p` that ``init(_:)`` reads.
    static let columns: SQL = "p.name, p.arch, p.module, p.epoch, p.version, p.release, p.source"

    init(_ row: PostgresRow) throws {
        self.init(
            name: try row.decode(String.self, "name"),
            evr: EVR(
                epoch: try row.decode(Int.self, "epoch"), version: try row.decode(String.self, "version"),
                release: try row.decode(String.self, "release")),
            arch: try row.decode(String.self, "arch"), source: try row.decode(String?.self, "source"),
            modularityLabel: try row.decode(String?.self, "module"))
    }
}
