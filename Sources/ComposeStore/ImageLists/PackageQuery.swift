public import ImageModel
import Postgres

/// A query for the images in use that have a package, or an older build of it.
public struct PackageQuery: Hashable, Sendable {
    public var name: String
    /// Only builds that are older count. Nil for all builds.
    public var olderThan: EVR?
    /// The architecture of the package. Nil for any. Example: `x86_64`.
    public var arch: String?
    /// The number of the page, which begins at 1. The images are in order of their names.
    public var page = 1
    public var perPage = 10

    public init(name: String, olderThan: EVR? = nil, arch: String? = nil) {
        self.name = name
        self.olderThan = olderThan
        self.arch = arch
    }
}

/// One page of the images that have a package.
public struct PackagePage: Sendable {
    /// An image with the package.
    public struct Item: Sendable {
        public let image: Int
        public let repository: ImageRepository
        public let owner: String
        /// The builds of the package in each manifest in use that has one.
        public var manifests: [Manifest]
    }

    public struct Manifest: Sendable {
        public let platform: Platform
        public let digest: ImageDigest
        public let packages: [InstalledPackage]
    }

    public var items: [Item] = []
    /// The number of images on all pages.
    public var total = 0
}

/// The manifests in use whose contents are not known, in order of the names of their images.
public struct UnknownPage: Sendable {
    public struct Item: Sendable {
        public let image: Int
        public let repository: ImageRepository
        public let platform: Platform
        public let digest: ImageDigest
        /// Nil if the contents were not read yet.
        public let problem: String?
    }

    public var items: [Item]
    public var total: Int
}

extension ComposeStore {
    /// Returns one page of the images in use that have a package.
    ///
    /// PostgreSQL finds the builds by their name. They are few, and are compared here as RPM compares them.
    public func list(_ query: PackageQuery) async throws -> PackagePage {
        let builds = try await builds(query)
        let (skipped, overflow) = (query.page - 1).multipliedReportingOverflow(by: query.perPage)
        guard !builds.isEmpty, !overflow else { return PackagePage() }
        let found: SQL = """
            FROM content_packages cp JOIN contents c ON c.id = cp.content_id JOIN image_manifests m ON m.digest = c.digest
            WHERE cp.package_id = ANY(\(builds.keys.sorted()))
            """
        let images = try await pool.query(
            """
            WITH matching AS MATERIALIZED (
                SELECT i.id, i.repository, i.owner FROM images i
                WHERE i.removed_at IS NULL AND i.id IN (SELECT m.image_id \(fragment: found))
            )
            SELECT id, repository, owner, (SELECT count(*) FROM matching) AS total FROM (
                (SELECT * FROM matching ORDER BY repository, id LIMIT \(query.perPage) OFFSET \(skipped))
                UNION ALL SELECT NULL, NULL, NULL
            ) page
            """)
        var page = PackagePage()
        for row in images {
            page.total = try row.decode(Int.self, "total")
            guard let id = try row.decode(Int?.self, "id") else { continue }
            page.items.append(
                PackagePage.Item(
                    image: id, repository: try ImageReference(row.decode(String.self, "repository")).repository,
                    owner: try row.decode(String.self, "owner"), manifests: []))
        }
        let manifests = try await pool.query(
            """
            SELECT m.image_id, m.platform, m.digest, array_agg(cp.package_id) AS packages \(fragment: found)
            AND m.image_id = ANY(\(page.items.map(\.image))) GROUP BY m.image_id, m.platform, m.digest ORDER BY m.image_id, m.platform
            """)
        let places = Dictionary(uniqueKeysWithValues: page.items.enumerated().map { ($1.image, $0) })
        for row in manifests {
            guard let place = places[try row.decode(Int.self, "image_id")] else { continue }
            let packages = try row.decode([Int].self, "packages").compactMap { builds[$0] }.sorted { ($0.line, $0.evr) < ($1.line, $1.evr) }
            page.items[place].manifests.append(
                PackagePage.Manifest(
                    platform: try Platform(row.decode(String.self, "platform")), digest: try ImageDigest(row.decode(String.self, "digest")),
                    packages: packages))
        }
        return page
    }

    /// Returns the builds of a package that count, by their ids.
    private func builds(_ query: PackageQuery) async throws -> [Int: InstalledPackage] {
        let rows = try await pool.query(
            """
            SELECT p.id, \(fragment: InstalledPackage.columns) FROM packages p
            WHERE p.name = \(query.name) AND (\(query.arch)::text IS NULL OR p.arch = \(query.arch))
            """)
        var builds: [Int: InstalledPackage] = [:]
        for row in rows {
            let package = try InstalledPackage(row)
            if let limit = query.olderThan, package.evr >= limit { continue }
            builds[try row.decode(Int.self, "id")] = package
        }
        return builds
    }

    /// Returns the first manifests in use whose contents are not known, and the number of all.
    public func unknownContents(limit: Int) async throws -> UnknownPage {
        let unknown: SQL = "FROM image_manifests m JOIN images i ON i.id = m.image_id WHERE NOT m.is_known AND i.removed_at IS NULL"
        let total = try await pool.query("SELECT count(*) AS total \(fragment: unknown)")
        let rows = try await pool.query(
            """
            SELECT n.*, c.problem FROM (
                SELECT i.id, i.repository, m.platform, m.digest \(fragment: unknown) ORDER BY i.repository, i.id, m.platform LIMIT \(limit)
            ) n LEFT JOIN contents c ON c.digest = n.digest ORDER BY n.repository, n.id, n.platform
            """)
        return UnknownPage(
            items: try rows.map { row in
                UnknownPage.Item(
                    image: try row.decode(Int.self, "id"), repository: try ImageReference(row.decode(String.self, "repository")).repository,
                    platform: try Platform(row.decode(String.self, "platform")), digest: try ImageDigest(row.decode(String.self, "digest")),
                    problem: try row.decode(String?.self, "problem"))
            }, total: try total[total.startIndex].decode(Int.self, "total"))
    }
}
