public import ImageModel

/// A query for images, in order of their names. A member that is `nil` filters nothing.
public struct ImageListQuery: Hashable, Sendable {
    /// The whole name. `*` stands for any characters. Example: `registry.example.org/team/*`.
    public var repository: String?
    public var owner: String?
    /// Only images whose contents are not known on one of their platforms.
    public var hasUnknownContents = false
    /// The number of the page, counted from 1.
    public var page: Int?
    public var perPage: Int?

    public init() {}

    var items: [(name: String, value: String)] {
        present([
            ("page", page.map(String.init)), ("per_page", perPage.map(String.init)), ("owner", owner), ("repository", repository),
            ("contents", hasUnknownContents ? "unknown" : nil),
        ])
    }
}

/// A query for the images that have a package, or an older build of it.
public struct AffectedQuery: Hashable, Sendable {
    /// The name of the package. Example: `openssl-libs`.
    public var package: String
    /// Only builds that are older than this one. Example: `1:3.0.7-28.el9`.
    public var olderThan: String?
    /// Only builds for this architecture. Example: `x86_64`.
    public var arch: String?
    public var page: Int?
    public var perPage: Int?

    public init(package: String) { self.package = package }

    var items: [(name: String, value: String)] {
        present([
            ("contains", package), ("older_than", olderThan), ("arch", arch), ("page", page.map(String.init)),
            ("per_page", perPage.map(String.init)),
        ])
    }
}

/// A query for builds, the newest first. A member that is `nil` filters nothing.
public struct BuildListQuery: Hashable, Sendable {
    public var image: Int?
    public var owner: String?
    public var state: BuildState?
    public var page: Int?
    public var perPage: Int?

    public init() {}

    var items: [(name: String, value: String)] {
        present([
            ("page", page.map(String.init)), ("per_page", perPage.map(String.init)), ("image", image.map(String.init)), ("owner", owner),
            ("state", state.map { String($0.rawValue) }),
        ])
    }
}

/// A query for the packages of an image. A member that is `nil` filters nothing.
public struct ContentsQuery: Hashable, Sendable {
    public var platform: String?
    /// The number of a build, or the digest of a manifest. The manifests in use, if it is `nil`.
    public var place: String?

    public init(platform: String? = nil, place: String? = nil) {
        self.platform = platform
        self.place = place
    }

    var items: [(name: String, value: String)] { present([("platform", platform), ("digest", place)]) }
}

/// A query for the change of an image's packages. A place is the number of a build, or the digest of a
/// manifest.
public struct DifferenceQuery: Hashable, Sendable {
    public var from: String
    /// The manifests in use, if it is `nil`.
    public var to: String?
    public var platform: String?

    public init(from: String, to: String? = nil, platform: String? = nil) {
        self.from = from
        self.to = to
        self.platform = platform
    }

    var items: [(name: String, value: String)] { present([("from", from), ("to", to), ("platform", platform)]) }
}

/// A query for the way by which a package came into an image.
public struct WhyQuery: Hashable, Sendable {
    /// The name of the package.
    public var package: String
    public var platform: String?
    /// The number of a build, or the digest of a manifest. The manifests in use, if it is `nil`.
    public var place: String?

    public init(package: String, platform: String? = nil, place: String? = nil) {
        self.package = package
        self.platform = platform
        self.place = place
    }

    var items: [(name: String, value: String)] { present([("package", package), ("platform", platform), ("digest", place)]) }
}

/// Returns the parameters that have a value.
private func present(_ items: [(String, String?)]) -> [(name: String, value: String)] {
    items.compactMap { name, value in value.map { (name, $0) } }
}

/// One page of images.
public struct ImageList: Hashable, Sendable, Codable {
    public var meta: ComposeList.Meta
    public var items: [ImageDocument]
}

/// One page of builds.
public struct BuildList: Hashable, Sendable, Codable {
    public var meta: ComposeList.Meta
    public var items: [BuildDocument]
}

/// One page of rebuilds.
public struct RebuildList: Hashable, Sendable, Codable {
    public var meta: ComposeList.Meta
    public var items: [RebuildDocument]
}

/// One page of rules.
public struct RuleList: Hashable, Sendable, Codable {
    public var meta: ComposeList.Meta
    public var items: [RuleDocument]
}

/// One page of images that have a package, and the images whose contents are not known.
public struct AffectedList: Hashable, Sendable, Codable {
    public var meta: ComposeList.Meta
    public var items: [AffectedDocument]
    public var unknown: UnknownImages
}
