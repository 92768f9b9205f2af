/// A repository that Pulp serves, as Pulp described it at one moment. A compose of the type `pulp`
/// consists of such repositories and is pinned to them.
public struct PulpRepository: Hashable, Sendable, Codable {
    /// The repository's id (Pulp 2), or the name of the distribution that serves it (Pulp 3). It is unique
    /// in one Pulp. Example: `ed-x86_64`.
    public var id: String
    /// The product's name for a set of repositories of which each machine needs one. `nil` for a repository
    /// that belongs to no set. Example: `f26-rpms`.
    public var contentSet: String?
    /// The http or https address of the repository.
    public var url: String
    /// The repository's architecture, or `nil` if Pulp does not report it.
    public var arch: String?
    /// The ids of the keys that signed the packages, sorted. The list is empty if Pulp names no key.
    public var sigkeys: [String]
    /// The versions of the product that the repository belongs to, as Pulp lists them. Example: `26`.
    public var productVersions: [String]
    /// Whether Pulp gives the files only to clients with credentials (a content guard).
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
    /// The architectures of the repositories, sorted. They are the architectures of a compose of these
    /// repositories.
    public var arches: [String] { Set(compactMap(\.arch)).sorted() }

    /// The keys that signed packages of the repositories, sorted. They are the keys of a compose of these
    /// repositories.
    public var sigkeys: [String] { Set(flatMap(\.sigkeys)).sorted() }
}
