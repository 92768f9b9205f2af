/// The packages of an image on each platform, in the form of the API.
public struct ContentsDocument: Hashable, Sendable, Codable {
    /// The packages of one manifest.
    public struct Manifest: Hashable, Sendable, Codable {
        public var platform: String
        public var digest: ImageDigest
        /// The state: `read`, `none`, `unknown` or `unread`. With `none`, the image has no rpmdb. With
        /// `unknown`, it has one that could not be read. With `unread`, no worker has looked yet.
        public var state: String
        /// The reason why the contents are `unknown`.
        @OrNull public var problem: String?
        /// The packages in order of their names. Empty if there is no rpmdb. No value if they are not known.
        @OrNull public var packages: [PackageDocument]?

        /// - Parameter contents: Nil if they were not read yet.
        public init(platform: Platform, digest: ImageDigest, contents: Contents?) {
            self.platform = platform.description
            self.digest = digest
            switch contents?.state {
            case .read: state = "read"
            case .some(.none): state = "none"
            case .unknown(let problem):
                state = "unknown"
                self.problem = problem
            case nil: state = "unread"
            }
            packages = contents?.packages?.map(PackageDocument.init)
        }
    }

    /// The number of the image.
    public var image: Int
    public var repository: String
    public var manifests: [Manifest]

    public init(image: Int, repository: ImageRepository, manifests: [Manifest]) {
        self.image = image
        self.repository = repository.description
        self.manifests = manifests
    }
}

/// The change of an image's packages from one build to another, in the form of the API.
public struct DifferenceDocument: Hashable, Sendable, Codable {
    /// A package whose builds differ.
    public struct Change: Hashable, Sendable, Codable {
        public var name: String
        public var arch: String
        @OrNull public var module: String?
        /// The builds before and after, the newest last. Example: `["1:3.0.7-28.el9"]`.
        public var before: [String]
        public var after: [String]
        /// Whether the newest build is older than before.
        public var isDowngrade: Bool

        enum CodingKeys: String, CodingKey {
            case name, arch, module, before, after
            case isDowngrade = "is_downgrade"
        }

        public init(_ change: ContentsDifference.Change) {
            name = change.line.name
            arch = change.line.arch
            before = change.before.map(\.description)
            after = change.after.map(\.description)
            isDowngrade = change.isDowngrade
            module = change.line.module
        }
    }

    /// The change on one platform.
    public struct Manifest: Hashable, Sendable, Codable {
        public var platform: String
        /// The digests before and after. No value if the platform was not there.
        @OrNull public var from: ImageDigest?
        @OrNull public var to: ImageDigest?
        /// The reason why the packages cannot be compared. The lists are empty then, and mean nothing.
        @OrNull public var problem: String?
        public var added: [PackageDocument]
        public var removed: [PackageDocument]
        public var changed: [Change]

        public init(platform: Platform, from: ImageDigest?, to: ImageDigest?, difference: ContentsDifference) {
            self.init(platform: platform, from: from, to: to, problem: nil)
            added = difference.added.map(PackageDocument.init)
            removed = difference.removed.map(PackageDocument.init)
            changed = difference.changed.map(Change.init)
        }

        public init(platform: Platform, from: ImageDigest?, to: ImageDigest?, problem: String?) {
            self.platform = platform.description
            self.from = from
            self.to = to
            self.problem = problem
            added = []
            removed = []
            changed = []
        }
    }

    public var image: Int
    public var repository: String
    public var manifests: [Manifest]

    public init(image: Int, repository: ImageRepository, manifests: [Manifest]) {
        self.image = image
        self.repository = repository.description
        self.manifests = manifests
    }
}
