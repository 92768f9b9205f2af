public import ImageModel
import Postgres

/// A query for builds: the filters and the page. Several values of one filter are alternatives.
public struct BuildQuery: Hashable, Sendable {
    public var images: [Int] = []
    public var owners: [String] = []
    public var states: [BuildState] = []
    public var rebuilds: [Int] = []
    /// The number of the page, which begins at 1. The newest build comes first.
    public var page = 1
    public var perPage = 10

    public init() {}

    fileprivate var condition: SQL {
        var condition: SQL = "true"
        condition.require("b.image_id = ANY(\(images))", if: !images.isEmpty)
        condition.require("b.owner = ANY(\(owners))", if: !owners.isEmpty)
        condition.require("b.rebuild_id = ANY(\(rebuilds))", if: !rebuilds.isEmpty)
        condition.require("b.state = ANY(\(states.map(\.rawValue)))", if: !states.isEmpty)
        return condition
    }
}

/// One page of a list of builds.
public struct BuildPage: Sendable {
    public var items: [Build]
    /// The number of builds that match the filters, on all pages.
    public var total: Int
}

extension ComposeStore {
    /// Returns the build with that id and its steps, or `nil` if no build has that id.
    public func build(_ id: Int) async throws -> Build? {
        try await pool.query("SELECT \(fragment: Build.columns) FROM builds b WHERE b.id = \(id)").first.map(Build.init)
    }

    /// Returns the latest build of an image whose manifest list has that digest.
    public func build(of image: Int, list digest: ImageDigest) async throws -> Build? {
        try await pool.query(
            """
            SELECT \(fragment: Build.columns) FROM builds b
            WHERE b.image_id = \(image) AND b.digest = \(digest.description) ORDER BY b.id DESC LIMIT 1
            """
        ).first.map(Build.init)
    }

    /// Returns a build that exists.
    @PostgresThread func build(_ id: Int, on connection: PostgresConnection) async throws -> Build {
        let rows = try await connection.query("SELECT \(fragment: Build.columns) FROM builds b WHERE b.id = \(id)")
        return try Build(rows[rows.startIndex])
    }

    /// Returns one page of builds.
    public func list(_ query: BuildQuery) async throws -> BuildPage {
        let page = try await self.page(
            PagePlace(page: query.page, perPage: query.perPage), of: Build.columns, "FROM builds b WHERE \(fragment: query.condition)",
            orderedBy: "b.id DESC", read: Build.init)
        return BuildPage(items: page.items, total: page.total)
    }
}
