public import ImageModel
import Postgres

/// A query for images that were not removed: the filters and the page. Several values of one filter are
/// alternatives.
public struct ImageQuery: Hashable, Sendable {
    /// Whole names. `*` stands for any characters. Example: `registry.example.org/team/*`.
    public var repositories: [String] = []
    public var owners: [String] = []
    /// Whether the contents of the image are not known on one of its platforms.
    public var hasUnknownContents = false
    /// The number of the page, which begins at 1. The images are in order of their names.
    public var page = 1
    public var perPage = 10

    public init() {}

    fileprivate var condition: SQL {
        var condition: SQL = "i.removed_at IS NULL"
        // The names of artifacts have tags in this table.
        condition.require(
            "regexp_replace(i.repository, ':[^/]*$', '') LIKE ANY(\(repositories.map(Self.pattern)))", if: !repositories.isEmpty)
        condition.require("i.owner = ANY(\(owners))", if: !owners.isEmpty)
        condition.require(
            "EXISTS (SELECT FROM image_manifests m WHERE m.image_id = i.id AND NOT m.is_known)", if: hasUnknownContents)
        return condition
    }

    /// Returns the pattern of LIKE for a name in which only `*` has a meaning.
    private static func pattern(_ name: String) -> String {
        name.map { "\\%_".contains($0) ? "\\\($0)" : $0 == "*" ? "%" : "\($0)" }.joined()
    }
}

extension ComposeStore {
    /// Returns one page of images.
    public func list(_ query: ImageQuery) async throws -> ImagePage {
        let page = try await self.page(
            PagePlace(page: query.page, perPage: query.perPage), of: Image.columns, "FROM images i WHERE \(fragment: query.condition)",
            orderedBy: "i.repository, i.id", read: Image.init)
        return ImagePage(items: page.items, total: page.total)
    }

    /// Returns the names of images, also of removed ones.
    public func repositories(of images: some Collection<Int>) async throws -> [Int: ImageRepository] {
        guard !images.isEmpty else { return [:] }
        let rows = try await pool.query("SELECT id, repository FROM images WHERE id = ANY(\(Array(Set(images))))")
        return Dictionary(
            uniqueKeysWithValues: try rows.map {
                (try $0.decode(Int.self, "id"), try ImageReference($0.decode(String.self, "repository")).repository)
            })
    }
}
