public import ImageModel

/// A *known image* is an image as the planner of rebuilds knows it: its name, and the images that its
/// Containerfile builds on.
public struct KnownImage: Hashable, Sendable, Identifiable {
    /// The image that becomes the beginning of another one.
    public enum Base: Hashable, Sendable {
        /// The image begins with nothing.
        case scratch
        case image(ImageReference)
        /// An image of this service, found by its layers. The Containerfile is not known.
        case own(Int)
        /// Neither the Containerfile nor the layers tell it.
        case unknown
    }

    public let id: Int
    public var repository: ImageRepository
    /// Whether another image can name it by its repository alone. Several artifacts share a repository.
    public var isAloneInRepository: Bool
    /// The base on each platform.
    public var bases: [Platform: Base]
    /// The images of other stages, and those whose files are copied.
    public var others: Set<ImageReference>
    /// Whether a build upgrades packages of the base: the definition or the Containerfile says so.
    public var upgrades: Bool

    public init(
        id: Int, repository: ImageRepository, isAloneInRepository: Bool = true, bases: [Platform: Base] = [:],
        others: Set<ImageReference> = [], upgrades: Bool = false
    ) {
        self.id = id
        self.repository = repository
        self.isAloneInRepository = isAloneInRepository
        self.bases = bases
        self.others = others
        self.upgrades = upgrades
    }

    func base(on platform: Platform) -> Base { bases[platform] ?? .unknown }
}

/// The *foreign base* is an image that this service does not build and that its images build on, as its
/// tag showed it last.
public struct ForeignBase: Hashable, Sendable {
    public var digest: ImageDigest
    /// The newest build of each package. Nil if the contents are not known.
    public var packages: [PackageLine: EVR]?

    public init(digest: ImageDigest, packages: [PackageLine: EVR]?) {
        self.digest = digest
        self.packages = packages
    }
}
