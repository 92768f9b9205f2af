public import ComposeModel

/// An image definition in the form of the API. A member that a client leaves out has its default.
///
/// Example: `{"source": {"containerfile": "FROM scratch\nCOPY . /\n"}, "platforms": ["linux/amd64"]}`.
public struct DefinitionDocument: Hashable, Sendable, Codable {
    /// The source of a definition. Exactly one member has a value.
    public struct Source: Hashable, Sendable, Codable {
        /// A folder of a git repository.
        public struct Git: Hashable, Sendable, Codable {
            public var url: String
            /// A branch, a tag or a commit. Example: `main`.
            public var reference: String
            /// The folder of the Containerfile below the top of the repository. Empty for the top itself.
            public var folder: String

            public init(url: String, reference: String, folder: String = "") {
                self.url = url
                self.reference = reference
                self.folder = folder
            }
        }

        /// The text of a Containerfile without a context.
        public var containerfile: String?
        public var git: Git?
        /// The digest of a context that was uploaded. Example: `sha256:…`.
        public var archive: ImageDigest?

        public init(containerfile: String) { self.containerfile = containerfile }

        public init(git: Git) { self.git = git }

        public init(archive: ImageDigest) { self.archive = archive }

        public init(_ source: ImageDefinition.Source) {
            switch source {
            case .containerfile(let text): containerfile = text
            case .git(let url, let reference, let folder): git = Git(url: url, reference: reference, folder: folder)
            case .archive(let digest): archive = digest
            }
        }
    }

    public var source: Source
    /// Example: `["linux/amd64", "linux/arm64"]`.
    public var platforms: [String]
    /// The values of `ARG` instructions.
    public var arguments: [String: String]?
    /// The labels that a worker must have. Example: `{"host": "rhel"}`.
    public var requires: [String: String]?
    /// `none` or `host`.
    public var network: String?
    /// Whether a rebuild upgrades packages that come with a base image.
    public var update: Bool?
    /// Whether a build moves the tag `latest`.
    public var movesLatest: Bool?
    /// The treatment of a platform that cannot be built: `fail` or `leave-out`.
    public var missing: String?
    /// The platforms without which a build fails, although `missing` is `leave-out`.
    public var requiredPlatforms: [String]?
    /// Tags of the manifest list besides the date and `latest`. Example: `["v1-{date}", "stable"]`.
    public var tags: [String]?
    /// Folders that a worker keeps for later builds, as paths in the container.
    public var caches: [String: String]?
    /// The free disk space and the memory without which a build does not begin. 0 stands for no need.
    public var diskMegabytes: Int?
    public var memoryMegabytes: Int?
    /// The request for the compose that builds install packages from.
    @OrNull public var content: ComposeSubmission?

    enum CodingKeys: String, CodingKey {
        case source, platforms, arguments, requires, network, update, missing, tags, caches, content
        case movesLatest = "moves_latest"
        case requiredPlatforms = "required_platforms"
        case diskMegabytes = "disk_megabytes"
        case memoryMegabytes = "memory_megabytes"
    }

    public init(source: Source, platforms: [String]) {
        self.source = source
        self.platforms = platforms
        content = nil
    }

    /// The document of a definition has every member.
    public init(_ definition: ImageDefinition) {
        source = Source(definition.source)
        platforms = definition.platforms.map(\.description)
        arguments = definition.arguments
        requires = definition.requires
        network = definition.network.rawValue
        update = definition.update
        movesLatest = definition.movesLatest
        missing = definition.requiredPlatforms == nil ? "fail" : "leave-out"
        requiredPlatforms = (definition.requiredPlatforms ?? definition.platforms).map(\.description)
        tags = definition.tags
        caches = definition.caches
        diskMegabytes = definition.diskMegabytes ?? 0
        memoryMegabytes = definition.memoryMegabytes ?? 0
        content = definition.content?.submission
    }
}
