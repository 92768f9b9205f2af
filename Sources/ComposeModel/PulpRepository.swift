/// A repository that Pulp serves, as Pulp described it at one moment: what a compose of the type `pulp` consists of, and is pinned to.
public struct PulpRepository: Hashable, Sendable, Codable {
    /// Pulp 2: the repository's id. Pulp 3: the name of the distribution that serves it. No two of one Pulp are equal.
    public var id: String
    /// The product's name for a set of repositories of which each machine needs one; `nil` for a repository outside of all sets.
    public var contentSet: String?
    /// Where the repository is served; http or https.
    public var url: String
    /// The architecture that it is for, `nil` where Pulp does not say.
    public var arch: String?
    /// The ids of the keys that signed its packages, sorted; empty where Pulp names none.
    public var sigkeys: [String]
    /// The versions of the product that it belongs to, as Pulp lists them.
    public var productVersions: [String]
    /// Whether Pulp gives its files only to clients with credentials (a content guard).
    public var isGuarded: Bool

    enum CodingKeys: String, CodingKey {
        case id, url, arch, sigkeys
        case contentSet = "content_set"
        case productVersions = "product_versions"
        case isGuarded = "guarded"
    }

    public init(
        id: String, contentSet: String?, url: String, arch: String?, sigkeys: [String] = [], productVersions: [String] = [],
        isGuarded: Bool = false
    ) {
        self.id = id
        self.contentSet = contentSet
        self.url = url
        self.arch = arch
        self.sigkeys = sigkeys
        self.productVersions = productVersions
        self.isGuarded = isGuarded
    }
}

extension Sequence where Element == PulpRepository {
    /// The architectures that any of them is for, sorted: those of a compose of them.
    public var arches: [String] { Set(compactMap(\.arch)).sorted() }

    /// The keys that signed packages of any of them, sorted: those of a compose of them.
    public var sigkeys: [String] { Set(flatMap(\.sigkeys)).sorted() }
}
