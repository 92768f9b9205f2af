/// A variant of another compose at one moment: what a ``ComposeSpecification`` records of it.
public struct PungiComposePin: Hashable, Sendable, Codable {
    /// The trees of one base architecture.
    public struct Tree: Hashable, Sendable, Codable {
        /// As the other compose calls it: `x86_64`.
        public var arch: String
        public var repository: ComposeSpecification.Repository
        /// `nil` where the other compose's place has none.
        public var debug: ComposeSpecification.Repository?
        public var source: ComposeSpecification.Repository?

        public init(
            arch: String, repository: ComposeSpecification.Repository, debug: ComposeSpecification.Repository?,
            source: ComposeSpecification.Repository?
        ) {
            self.arch = arch
            self.repository = repository
            self.debug = debug
            self.source = source
        }
    }

    /// The variant's directory as the request wrote it.
    public var location: String
    /// The checksum of the compose's rpms.json, `sha256:…`.
    public var rpms: String
    /// Of the architectures that were asked for and that the compose has.
    public var trees: [Tree]

    public init(location: String, rpms: String, trees: [Tree]) {
        self.location = location
        self.rpms = rpms
        self.trees = trees
    }
}
