public import ImageModel
public import SystemPackage

/// A *build specification* says what a node builds for one step: a Containerfile that is prepared, its
/// context, and the limits.
public struct BuildSpecification: Sendable {
    /// The name of the step, the same in each attempt. The built image has it as its tag on the node.
    public var step: ImageTag
    public var platform: Platform
    /// The text of the Containerfile. It is no file of the context.
    public var containerfile: String
    /// The directory that COPY and ADD copy from.
    public var context: FilePath
    /// The directories that `--mount=from=NAME` and `COPY --from=NAME` refer to. Example: `odcs` for the
    /// files of a compose.
    public var namedContexts: [String: FilePath] = [:]
    /// The directories that every RUN sees, read-only, in place of a folder of the image. The keys are the
    /// paths of those folders. A folder that the image does not have stays as an empty one.
    public var volumes: [String: FilePath] = [:]
    /// The repositories of the images that the Containerfile names.
    public var repositories: Set<ImageRepository> = []
    public var arguments: [String: String] = [:]
    public var labels: [String: String] = [:]
    /// The time of the image and of all files in its new layers, in seconds since 1970. Equal inputs then
    /// make equal layers.
    public var timestamp: Int?
    public var network = BuildNetwork.none
    public var limits: BuildLimits
    public var needs = BuildNeeds()
    /// The name of the directory with the caches that `RUN --mount=type=cache` refers to. The node keeps it
    /// for later builds with the same name. Nil: caches last for this build only.
    public var cacheDirectory: String?

    public init(
        step: ImageTag, platform: Platform, containerfile: String, context: FilePath, limits: BuildLimits = BuildLimits()
    ) {
        self.step = step
        self.platform = platform
        self.containerfile = containerfile
        self.context = context
        self.limits = limits
    }
}

extension BuildSpecification {
    /// Whether an instruction may run a program of an image. A line of a text for COPY may look like one.
    var runsPrograms: Bool {
        containerfile.split(whereSeparator: \.isNewline).contains { line in
            line.drop(while: \.isWhitespace).prefix(3).lowercased() == "run"
        }
    }
}

/// The limits of one build.
public struct BuildLimits: Hashable, Sendable {
    public var time: Duration
    /// The bytes of log after which a build is ended.
    public var logBytes: Int
    /// The bytes of memory that all processes of the build share, or nil for no limit.
    public var memoryBytes: Int?
    /// The number of processors that the build can use, for example 1.5, or nil for no limit.
    public var processors: Double?
    /// The number of processes at one time.
    public var processes: Int
    /// The bytes that stay free on the disk of the node. A build is ended if there are fewer.
    public var leastFreeBytes: Int

    public init(
        time: Duration = .seconds(3600), logBytes: Int = 64 << 20, memoryBytes: Int? = nil, processors: Double? = nil,
        processes: Int = 4096, leastFreeBytes: Int = 0
    ) {
        self.time = time
        self.logBytes = logBytes
        self.memoryBytes = memoryBytes
        self.processors = processors
        self.processes = processes
        self.leastFreeBytes = leastFreeBytes
    }
}

/// The result of a build: the image on the node.
public struct BuildResult: Hashable, Sendable {
    /// The id of the image, which is the digest of its configuration.
    public let image: ImageDigest
    public let elapsed: Duration
    /// Whether the limits of memory, processors and processes were in force.
    public let isConfined: Bool

    public init(image: ImageDigest, elapsed: Duration, isConfined: Bool) {
        self.image = image
        self.elapsed = elapsed
        self.isConfined = isConfined
    }
}
