public import Foundation

/// A *build request* is the request for one build of an image. Members that an image's definition also
/// has are copied from it, so that a later change of the definition does not change the build.
public struct BuildRequest: Hashable, Sendable, Codable {
    public var definition: ImageDefinition
    /// Steps of builds with a greater priority are claimed first.
    public var priority: Int
    /// The nodes that may build it. Nil: those of the default farm, or all nodes.
    public var placement: Placement?

    public init(_ definition: ImageDefinition, priority: Int = 0, placement: Placement? = nil) {
        self.definition = definition
        self.priority = priority
        self.placement = placement
    }
}

/// A *build* is one image built once, for all its platforms. It is split into steps.
public struct Build: Hashable, Sendable, Identifiable {
    /// The build's number. It is never given to another build.
    public let id: Int
    public var owner: String
    public var image: Int
    /// The rebuild that asked for the build. Nil if a person asked for it alone.
    public var rebuild: Int?
    /// The composes whose packages the build may install.
    public var composes: [Int]
    public var request: BuildRequest
    /// The tag of the manifest list. Example: `20261129`, or `20261129.2` for the second build of that day.
    public var dateTag: ImageTag
    public var state: BuildState
    public var stateReason: String?
    public var failure: BuildFailure?
    /// The digest of the manifest list, once the build is done.
    public var digest: ImageDigest?
    /// The exact inputs, once a step has resolved them.
    public var pins: BuildPins?
    /// The comparisons of the packages before and after the build, for the platforms that were built.
    public var verifications: [Platform: Verification]
    /// The builds that must end before this one begins.
    public var waitsFor: [Int]
    public var timeSubmitted: Date
    public var timeStarted: Date?
    public var timeDone: Date?
    /// The steps: one for each platform, and the manifest list last.
    public var steps: [Step]

    public init(
        id: Int, owner: String, image: Int, rebuild: Int? = nil, composes: [Int] = [], request: BuildRequest, dateTag: ImageTag,
        state: BuildState, stateReason: String? = nil, failure: BuildFailure? = nil, digest: ImageDigest? = nil, pins: BuildPins? = nil,
        verifications: [Platform: Verification] = [:], waitsFor: [Int] = [], timeSubmitted: Date, timeStarted: Date? = nil,
        timeDone: Date? = nil, steps: [Step]
    ) {
        self.id = id
        self.owner = owner
        self.image = image
        self.rebuild = rebuild
        self.composes = composes
        self.request = request
        self.dateTag = dateTag
        self.state = state
        self.stateReason = stateReason
        self.failure = failure
        self.digest = digest
        self.pins = pins
        self.verifications = verifications
        self.waitsFor = waitsFor
        self.timeSubmitted = timeSubmitted
        self.timeStarted = timeStarted
        self.timeDone = timeDone
        self.steps = steps
    }
}

extension Build {
    /// The platforms that failed and that the manifest list does not have.
    public var platformsLeftOut: [Platform] { steps.compactMap { $0.state == .failed ? $0.platform : nil } }
}

/// A *step* is a part of a build that one worker does: one platform, or the manifest list.
public struct Step: Hashable, Sendable, Identifiable {
    public let id: Int
    public var build: Int
    /// The platform. Nil for the manifest list.
    public var platform: Platform?
    public var state: StepState
    public var stateReason: String?
    public var failure: BuildFailure?
    /// The digest of the pushed manifest or manifest list, once the step is done.
    public var digest: ImageDigest?
    /// The number of builds or steps that must end before a worker can claim this one.
    public var blockedBy: Int
    /// The number of attempts that workers have begun.
    public var attempts: Int
    /// The node that builds the platform, or that has built it last. Example: `local`.
    public var node: String?
    /// The nodes of farms that could not build it.
    public var failedNodes: [String]

    public init(
        id: Int, build: Int, platform: Platform?, state: StepState, stateReason: String? = nil, failure: BuildFailure? = nil,
        digest: ImageDigest? = nil, blockedBy: Int = 0, attempts: Int = 0, node: String? = nil, failedNodes: [String] = []
    ) {
        self.id = id
        self.build = build
        self.platform = platform
        self.state = state
        self.stateReason = stateReason
        self.failure = failure
        self.digest = digest
        self.blockedBy = blockedBy
        self.attempts = attempts
        self.node = node
        self.failedNodes = failedNodes
    }

    /// Whether the node is one of a farm, and not a worker's own.
    public var isOnFarm: Bool { node.map { $0 != FarmNode.localName } ?? false }
}
