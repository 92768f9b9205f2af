/// An image that has a package, or an older build of it, in the form of the API. It is an item of the
/// list of images if the query has `contains`.
public struct AffectedDocument: Hashable, Sendable, Codable {
    /// The builds of the package on one platform.
    public struct Manifest: Hashable, Sendable, Codable {
        public var platform: String
        public var digest: ImageDigest
        public var packages: [PackageDocument]

        public init(platform: Platform, digest: ImageDigest, packages: [InstalledPackage]) {
            self.platform = platform.description
            self.digest = digest
            self.packages = packages.map(PackageDocument.init)
        }
    }

    /// The number of the image.
    public var image: Int
    public var repository: String
    public var owner: String
    public var manifests: [Manifest]

    public init(image: Int, repository: ImageRepository, owner: String, manifests: [Manifest]) {
        self.image = image
        self.repository = repository.description
        self.owner = owner
        self.manifests = manifests
    }
}

/// An image on one platform whose contents are not known, in the form of the API. It may have the
/// package.
public struct UnknownDocument: Hashable, Sendable, Codable {
    public var image: Int
    public var repository: String
    public var platform: String
    public var digest: ImageDigest
    /// No value if the contents were not read yet.
    @OrNull public var problem: String?

    public init(image: Int, repository: ImageRepository, platform: Platform, digest: ImageDigest, problem: String?) {
        self.image = image
        self.repository = repository.description
        self.platform = platform.description
        self.digest = digest
        self.problem = problem
    }
}

/// The images that cannot be said to lack a package. The list of images has it as `unknown` if the
/// query has `contains`.
public struct UnknownImages: Hashable, Sendable, Codable {
    /// The number of images and platforms whose contents are not known.
    public var total: Int
    /// The first of them, in order of their names.
    public var items: [UnknownDocument]

    public init(total: Int, items: [UnknownDocument]) {
        self.total = total
        self.items = items
    }
}
