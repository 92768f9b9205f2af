public import Foundation

/// A compose as it is written down: what was asked, where it is on its way, and what came of it.
public struct Compose: Hashable, Sendable, Identifiable {
    /// Given once, never reused; it answers for ever.
    public let id: Int
    public var owner: String
    public var request: ComposeRequest
    /// The words of `source` as resolved; those of the request until then.
    public var source: String
    public var state: ComposeState
    public var stateReason: String?
    /// The reason as data, when it failed for a reason of its own.
    public var failure: ComposeFailure?
    public var kojiEvent: Int?
    public var kojiTaskID: Int?
    public var pungiComposeID: String?
    public var timeSubmitted: Date
    public var timeStarted: Date?
    public var timeDone: Date?
    public var timeToExpire: Date
    public var timeRemoved: Date?
    public var removedBy: String?
    /// What it is made from exactly; known once a worker pinned it, or from the start for a renewed compose.
    public var specification: ComposeSpecification?
    /// Whether the pins of ``specification`` hold for every attempt: they were given from the start, or the compose waits for signatures.
    public var isPinned: Bool
    /// The compose whose directory shows this one's result: its own id, or that of the equal compose it reuses or has joined.
    public var resultOf: Int
    /// How often a worker began it.
    public var attempts: Int
    /// The id of the watch that it was made for.
    public var watch: Int?

    public init(
        id: Int, owner: String, request: ComposeRequest, source: String, state: ComposeState, stateReason: String? = nil,
        failure: ComposeFailure? = nil, kojiEvent: Int? = nil, kojiTaskID: Int? = nil, pungiComposeID: String? = nil,
        timeSubmitted: Date, timeStarted: Date? = nil, timeDone: Date? = nil, timeToExpire: Date, timeRemoved: Date? = nil,
        removedBy: String? = nil, specification: ComposeSpecification? = nil, isPinned: Bool = false, resultOf: Int, attempts: Int = 0,
        watch: Int? = nil
    ) {
        self.id = id
        self.owner = owner
        self.request = request
        self.source = source
        self.state = state
        self.stateReason = stateReason
        self.failure = failure
        self.kojiEvent = kojiEvent
        self.kojiTaskID = kojiTaskID
        self.pungiComposeID = pungiComposeID
        self.timeSubmitted = timeSubmitted
        self.timeStarted = timeStarted
        self.timeDone = timeDone
        self.timeToExpire = timeToExpire
        self.timeRemoved = timeRemoved
        self.removedBy = removedBy
        self.specification = specification
        self.isPinned = isPinned
        self.resultOf = resultOf
        self.attempts = attempts
        self.watch = watch
    }
}

extension Compose {
    /// The architectures as resolved: what a compose of Pulp's repositories has is known only by them.
    public var arches: [String] { specification?.pins.pulp.map(\.repositories.arches) ?? request.arches }

    /// The keys as resolved: for a compose of Pulp's repositories, those that Pulp says their packages are signed with.
    public var sigkeys: [String] { specification?.pins.pulp.map(\.repositories.sigkeys) ?? request.sigkeys }
}
