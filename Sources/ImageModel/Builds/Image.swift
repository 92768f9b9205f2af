public import Foundation

/// An *image* is a name in a registry, without tag, that this service can build.
public struct Image: Hashable, Sendable, Identifiable {
    public let id: Int
    public var owner: String
    /// Example: `registry.example.org/team/web`.
    public var repository: ImageRepository
    public var definition: ImageDefinition
    public var timeAdded: Date
    /// When a person removed the image. Its builds stay.
    public var timeRemoved: Date?

    public init(
        id: Int, owner: String, repository: ImageRepository, definition: ImageDefinition, timeAdded: Date, timeRemoved: Date? = nil
    ) {
        self.id = id
        self.owner = owner
        self.repository = repository
        self.definition = definition
        self.timeAdded = timeAdded
        self.timeRemoved = timeRemoved
    }

    /// Whether the name of the repository is enough to find the image. The name of an artifact is not.
    public var isAloneInRepository: Bool { definition.artifact == nil }
}

/// An *image definition* is everything that a build of an image needs besides the composes.
public struct ImageDefinition: Hashable, Sendable, Codable {
    /// The place of the Containerfile and its context.
    public enum Source: Hashable, Sendable, Codable {
        /// A Containerfile without a context.
        case containerfile(String)
        /// A folder of a git repository.
        case git(url: String, reference: String, folder: String)
        /// An archive that was uploaded to this service.
        case archive(ImageDigest)
    }

    public var source: Source
    public var platforms: [Platform]
    /// The values of `ARG` instructions.
    public var arguments: [String: String] = [:]
    /// The labels that a worker must have. Example: `["host": "rhel"]`.
    public var requires: [String: String] = [:]
    public var network: BuildNetwork = .none
    /// Whether a rebuild upgrades packages that come with a base image.
    public var update = false
    /// Whether a build moves the tag `latest`.
    public var movesLatest = true
    /// The platforms without which a build fails. A build leaves out any other platform that fails, as long
    /// as one is left, and moves no tag then. Nil if a build needs all platforms.
    public var requiredPlatforms: [Platform]?
    /// Tags of the manifest list besides the date and `latest`. `{date}` stands for the tag of the date.
    /// Example: `["v1-{date}", "stable"]`.
    public var tags: [String] = []
    /// Folders that a worker keeps for later builds of the image: the path in the container, by name.
    /// Example: `["ccache": "/var/cache/ccache"]`.
    public var caches: [String: String] = [:]
    /// The free disk space without which a build does not begin, in megabytes.
    public var diskMegabytes: Int?
    /// The memory without which a build does not begin, in megabytes.
    public var memoryMegabytes: Int?
    /// The request for the compose that a build installs its packages from, besides those of a rebuild.
    public var content: ImageContent?
    /// The names of the image in the artifact API. Nil for other images.
    public var artifact: Artifact?

    public init(source: Source, platforms: [Platform]) {
        self.source = source
        self.platforms = platforms
    }
}

extension ImageDefinition {
    /// Reads a definition. Members that an older version did not write have their defaults.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            source: try container.decode(Source.self, forKey: .source), platforms: try container.decode([Platform].self, forKey: .platforms)
        )
        arguments = try container.decode([String: String].self, forKey: .arguments)
        requires = try container.decode([String: String].self, forKey: .requires)
        network = try container.decode(BuildNetwork.self, forKey: .network)
        update = try container.decode(Bool.self, forKey: .update)
        movesLatest = try container.decode(Bool.self, forKey: .movesLatest)
        requiredPlatforms = try container.decodeIfPresent([Platform].self, forKey: .requiredPlatforms)
        tags = try container.decodeIfPresent([String].self, forKey: .tags) ?? []
        caches = try container.decodeIfPresent([String: String].self, forKey: .caches) ?? [:]
        diskMegabytes = try container.decodeIfPresent(Int.self, forKey: .diskMegabytes)
        memoryMegabytes = try container.decodeIfPresent(Int.self, forKey: .memoryMegabytes)
        content = try container.decodeIfPresent(ImageContent.self, forKey: .content)
        artifact = try container.decodeIfPresent(Artifact.self, forKey: .artifact)
    }
}
