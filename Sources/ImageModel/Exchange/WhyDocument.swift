/// The way by which a package came into an image, on each platform, in the form of the API.
public struct WhyDocument: Hashable, Sendable, Codable {
    /// A rebuild that asked for the build that brought the package.
    public struct Cause: Hashable, Sendable, Codable {
        public var rebuild: Int
        public var compose: Int
        @OrNull public var advisory: String?
        public var cves: [String]

        public init(_ cause: BuildCause) {
            rebuild = cause.rebuild
            compose = cause.compose
            cves = cause.cves
            advisory = cause.advisory
        }
    }

    /// A build of the package in the image.
    public struct Origin: Hashable, Sendable, Codable {
        public var package: PackageDocument
        /// The uncompressed layers of which one brings the package.
        public var layers: [ImageDigest]
        /// The image below that has the package already. No value if the image itself installs it.
        @OrNull public var base: String?
        @OrNull public var baseDigest: ImageDigest?
        /// The build that made the image that the package came in with. No value if another program made it.
        @OrNull public var build: Int?
        /// The composes of that build which may have the package.
        public var composes: [Int]
        public var causes: [Cause]

        enum CodingKeys: String, CodingKey {
            case package, layers, base, build, composes, causes
            case baseDigest = "base_digest"
        }

        /// - Parameters:
        ///   - manifest: The manifest that was asked about.
        ///   - composes: The composes of the build.
        ///   - causes: The rebuilds that asked for the build.
        public init(_ origin: PackageOrigin, in manifest: ImageDigest, composes: [Int], causes: [BuildCause]) {
            package = PackageDocument(origin.package)
            layers = origin.layers
            self.composes = composes
            self.causes = causes.map(Cause.init)
            base = nil
            baseDigest = nil
            build = origin.image.build
            guard origin.image.digest != manifest else { return }
            base = origin.image.name
            baseDigest = origin.image.digest
        }
    }

    /// The manifest of one platform.
    public struct Manifest: Hashable, Sendable, Codable {
        public var platform: String
        public var digest: ImageDigest
        /// `read`, `none`, `unknown` or `unread`, as for contents.
        public var state: String
        /// Empty if the image does not have the package, or if its packages are not known.
        public var origins: [Origin]

        public init(platform: Platform, digest: ImageDigest, contents: Contents?, origins: [Origin]) {
            self.platform = platform.description
            self.digest = digest
            state = ContentsDocument.Manifest(platform: platform, digest: digest, contents: contents).state
            self.origins = origins
        }
    }

    /// The number of the image.
    public var image: Int
    public var repository: String
    /// The name of the package.
    public var package: String
    public var manifests: [Manifest]

    public init(image: Int, repository: ImageRepository, package: String, manifests: [Manifest]) {
        self.image = image
        self.repository = repository.description
        self.package = package
        self.manifests = manifests
    }
}
