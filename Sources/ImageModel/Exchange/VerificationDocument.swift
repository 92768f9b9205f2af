/// The comparison of an image's packages on one platform before and after a build, in the form of the
/// API.
public struct VerificationDocument: Hashable, Sendable, Codable {
    /// A package that is older than the build had to make it.
    public struct StillOlder: Hashable, Sendable, Codable {
        public var package: PackageDocument
        /// Example: `1:3.0.7-28.el9`.
        public var newest: String
        /// The image that brings the package. No value if the Containerfile installs it.
        @OrNull public var parent: String?
        /// The uncompressed layer that brings the package. No value if several layers may bring it.
        @OrNull public var layer: ImageDigest?

        public init(_ found: Verification.StillOlder) {
            package = PackageDocument(found.installed)
            newest = found.newest.description
            parent = found.parent
            layer = found.layer
        }
    }

    /// A package whose build is another one.
    public struct Change: Hashable, Sendable, Codable {
        public var before: PackageDocument
        public var after: PackageDocument
        public var isDowngrade: Bool

        enum CodingKeys: String, CodingKey {
            case before, after
            case isDowngrade = "is_downgrade"
        }

        public init(_ change: Verification.Change) {
            before = PackageDocument(change.before)
            after = PackageDocument(change.after)
            isDowngrade = change.isDowngrade
        }
    }

    public var platform: String
    /// The reason why the packages of the new image are not known.
    @OrNull public var problem: String?
    /// The number of packages of the new image. No value if they are not known.
    @OrNull public var packages: Int?
    public var stillOlder: [StillOlder]
    /// Packages of the image before that the new image has in no build.
    public var vanished: [PackageDocument]
    public var changed: [Change]
    public var added: [PackageDocument]
    /// The findings in whole sentences, the gravest first. Empty if nothing is wrong.
    public var sentences: [String]

    enum CodingKeys: String, CodingKey {
        case platform, problem, packages, vanished, changed, added, sentences
        case stillOlder = "still_older"
    }

    public init(_ verification: Verification, of platform: Platform) {
        self.platform = platform.description
        problem = verification.problem
        packages = verification.packages
        stillOlder = verification.stillOlder.map(StillOlder.init)
        vanished = verification.vanished.map(PackageDocument.init)
        changed = verification.changed.map(Change.init)
        added = verification.added.map(PackageDocument.init)
        sentences = verification.sentences
    }
}
