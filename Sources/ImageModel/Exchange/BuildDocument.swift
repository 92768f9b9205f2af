/// The body of a request for a build of an image. Every member may be left out.
public struct BuildSubmission: Hashable, Sendable, Codable {
    /// The image gets this definition first. The build has it, even if the image gets another one at the
    /// same time.
    public var definition: DefinitionDocument?
    /// A part of the platforms of the definition. All of them if it is absent.
    public var platforms: [String]?
    /// Values of `ARG` instructions. They replace those of the definition with the same names.
    public var arguments: [String: String]?
    /// The composes whose packages the build may install.
    public var composes: [Int]?
    /// Builds with a greater priority begin first. Only an admin can ask for more than 0.
    public var priority: Int?
    /// The tag of the manifest list. The day in UTC if it is absent. Example: `20261129`.
    public var dateTag: String?
    /// `false` leaves the tag `latest` where it is.
    public var movesLatest: Bool?
    /// The farm whose nodes may build it. The default farm, or all nodes, if it is absent.
    public var farm: String?
    /// The nodes that may build it, instead of a farm.
    public var nodes: [String]?

    enum CodingKeys: String, CodingKey {
        case definition, platforms, arguments, composes, priority, farm, nodes
        case dateTag = "date_tag"
        case movesLatest = "moves_latest"
    }

    public init() {}
}

/// A build in the form of the API.
public struct BuildDocument: Hashable, Sendable, Codable, Identifiable {
    public var id: Int
    public var owner: String
    /// The number of the image.
    public var image: Int
    /// The name of the image. Example: `registry.example.org/team/web`.
    public var repository: String
    /// The rebuild that asked for the build.
    @OrNull public var rebuild: Int?
    public var composes: [Int]
    /// The definition that the build has. It can differ from that of the image.
    public var definition: DefinitionDocument
    public var priority: Int
    /// The farm that was named.
    @OrNull public var farm: String?
    /// The nodes that were named.
    @OrNull public var nodes: [String]?
    public var dateTag: String
    public var state: Int
    public var stateName: String
    @OrNull public var stateReason: String?
    @OrNull public var failure: BuildFailure?
    /// The digest of the manifest list, once the build is done.
    @OrNull public var digest: ImageDigest?
    /// The exact inputs, once a step has resolved them.
    @OrNull public var pins: BuildPins?
    /// The comparisons of the packages before and after the build, for the platforms that were built.
    public var verification: [VerificationDocument]
    /// The builds that must end before this one begins.
    public var waitsFor: [Int]
    public var timeSubmitted: String
    @OrNull public var timeStarted: String?
    @OrNull public var timeDone: String?
    /// The steps: one for each platform, and the manifest list last.
    public var steps: [StepDocument]

    enum CodingKeys: String, CodingKey {
        case id, owner, image, repository, rebuild, composes, definition, priority, state, failure, digest, pins, verification, steps
        case farm, nodes
        case dateTag = "date_tag"
        case stateName = "state_name"
        case stateReason = "state_reason"
        case waitsFor = "waits_for"
        case timeSubmitted = "time_submitted"
        case timeStarted = "time_started"
        case timeDone = "time_done"
    }

    /// - Parameter logURL: Returns the URL of the log of a platform.
    public init(_ build: Build, repository: ImageRepository, logURL: (Platform) -> String) {
        id = build.id
        owner = build.owner
        image = build.image
        self.repository = repository.description
        rebuild = build.rebuild
        composes = build.composes
        definition = DefinitionDocument(build.request.definition)
        priority = build.request.priority
        farm = build.request.placement?.farm
        nodes = build.request.placement?.nodes
        dateTag = build.dateTag.text
        state = build.state.rawValue
        stateName = build.state.name
        stateReason = build.stateReason
        failure = build.failure
        digest = build.digest
        pins = build.pins
        verification = build.verifications.sorted { $0.key < $1.key }.map { VerificationDocument($0.value, of: $0.key) }
        waitsFor = build.waitsFor
        timeSubmitted = build.timeSubmitted.inDocuments
        timeStarted = build.timeStarted?.inDocuments
        timeDone = build.timeDone?.inDocuments
        steps = build.steps.map { step in StepDocument(step, logURL: step.platform.map(logURL)) }
    }
}

/// A step of a build in the form of the API.
public struct StepDocument: Hashable, Sendable, Codable, Identifiable {
    public var id: Int
    /// No value for the manifest list.
    @OrNull public var platform: String?
    public var state: Int
    public var stateName: String
    @OrNull public var stateReason: String?
    @OrNull public var failure: BuildFailure?
    @OrNull public var digest: ImageDigest?
    /// The number of builds or steps that must end before a worker can begin.
    public var blockedBy: Int
    public var attempts: Int
    /// The node that builds it, or that has built it last. No value for the manifest list.
    @OrNull public var node: String?
    /// The URL of the log. No value for the manifest list. The log exists once a worker has begun.
    @OrNull public var log: String?

    enum CodingKeys: String, CodingKey {
        case id, platform, state, failure, digest, attempts, node, log
        case stateName = "state_name"
        case stateReason = "state_reason"
        case blockedBy = "blocked_by"
    }

    public init(_ step: Step, logURL: String?) {
        id = step.id
        platform = step.platform?.description
        state = step.state.rawValue
        stateName = step.state.name
        stateReason = step.stateReason
        failure = step.failure
        digest = step.digest
        blockedBy = step.blockedBy
        attempts = step.attempts
        node = step.node
        log = logURL
    }
}
