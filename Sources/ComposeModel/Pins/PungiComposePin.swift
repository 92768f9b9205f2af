/// A variant of another compose at one moment, as a ``ComposeSpecification`` records it.
public struct PungiComposePin: Hashable, Sendable, Codable {
    /// The trees of one base architecture.
    public struct Tree: Hashable, Sendable, Codable {
        /// The architecture's name in the other compose. Example: `x86_64`.
        public var arch: String
        public var repository: ComposeSpecification.Repository
        /// The debuginfo repository, or `nil` if the other compose has no such repository.
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

    /// The variant's directory as the request has it.
    public var location: String
    /// The checksum of the other compose's rpms.json. Example: `sha256:…`.
    public var rpms: String
    /// The trees of those requested architectures that the other compose has.
    public var trees: [Tree]

    public init(location: String, rpms: String, trees: [Tree]) {
        self.location = location
        self.rpms = rpms
        self.trees = trees
    }
}
