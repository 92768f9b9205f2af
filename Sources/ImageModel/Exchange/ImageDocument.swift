/// The body of a request that adds an image, or gives a known image a new definition.
public struct ImageSubmission: Hashable, Sendable, Codable {
    /// The name in a registry. Without a host it is below the registry of the service. Examples:
    /// `team/web`, `registry.example.org/team/web`.
    public var repository: String
    public var definition: DefinitionDocument

    public init(repository: String, definition: DefinitionDocument) {
        self.repository = repository
        self.definition = definition
    }
}

/// An image in the form of the API.
public struct ImageDocument: Hashable, Sendable, Codable, Identifiable {
    /// The manifest of the image for one platform, as the service knows it.
    public struct Manifest: Hashable, Sendable, Codable {
        public var platform: String
        public var digest: ImageDigest
        /// `read`, `none`, `unknown`, or `unread` if the contents were not read yet.
        public var contents: String
        /// The reason why the contents are `unknown`.
        @OrNull public var problem: String?

        public init(platform: Platform, digest: ImageDigest, contents: String, problem: String? = nil) {
            self.platform = platform.description
            self.digest = digest
            self.contents = contents
            self.problem = problem
        }
    }

    /// A tag, and the digest that it showed when the service last wrote it or looked at it.
    public struct Tag: Hashable, Sendable, Codable {
        public var tag: String
        public var digest: ImageDigest
        /// The build that wrote the tag. No value if another program did.
        @OrNull public var build: Int?
        public var timeSeen: String

        enum CodingKeys: String, CodingKey {
            case tag, digest, build
            case timeSeen = "time_seen"
        }

        public init(_ tag: PublishedTag) {
            self.tag = tag.tag.text
            digest = tag.digest
            build = tag.build
            timeSeen = tag.timeSeen.inDocuments
        }
    }

    public var id: Int
    public var owner: String
    /// The whole name. Example: `registry.example.org/team/web`.
    public var repository: String
    public var definition: DefinitionDocument
    public var timeAdded: String
    @OrNull public var timeRemoved: String?
    /// The manifests in use, by platform.
    public var manifests: [Manifest]
    /// The tags, the newest first. At most 20.
    public var tags: [Tag]
    /// The newest build.
    @OrNull public var latestBuild: BuildSummary?

    enum CodingKeys: String, CodingKey {
        case id, owner, repository, definition, manifests, tags
        case timeAdded = "time_added"
        case timeRemoved = "time_removed"
        case latestBuild = "latest_build"
    }

    public init(_ image: Image, manifests: [Manifest] = [], tags: [PublishedTag] = [], latestBuild: BuildSummary? = nil) {
        id = image.id
        owner = image.owner
        repository = image.repository.description
        definition = DefinitionDocument(image.definition)
        timeAdded = image.timeAdded.inDocuments
        timeRemoved = image.timeRemoved?.inDocuments
        self.manifests = manifests
        self.tags = tags.map(Tag.init)
        self.latestBuild = latestBuild
    }
}

/// The number and the state of a build.
public struct BuildSummary: Hashable, Sendable, Codable, Identifiable {
    public var id: Int
    public var state: Int
    public var stateName: String

    enum CodingKeys: String, CodingKey {
        case id, state
        case stateName = "state_name"
    }

    public init(id: Int, state: BuildState) {
        self.id = id
        self.state = state.rawValue
        stateName = state.name
    }
}
