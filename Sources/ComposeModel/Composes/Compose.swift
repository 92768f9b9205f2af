public import Foundation

/// A compose as the database records it: the request, its current state and its outcome.
public struct Compose: Hashable, Sendable, Identifiable {
    /// The compose's number. It is never given to another compose, and remains valid for ever.
    public let id: Int
    public var owner: String
    public var request: ComposeRequest
    /// The words of `source`. They are those of the request until a worker resolves them.
    public var source: String
    public var state: ComposeState
    public var stateReason: String?
    /// The reason as data, if the compose failed.
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
    /// The exact inputs of the compose. They are known once a worker pinned them, or from the start for a
    /// renewed compose.
    public var specification: ComposeSpecification?
    /// Whether the pins of ``specification`` hold for every attempt. They do if the compose had them from
    /// the start, or if it waits for signatures.
    public var isPinned: Bool
    /// The compose whose directory holds the result of this one. It is this compose, or the equal compose
    /// that this one reuses or has joined.
    public var resultOf: Int
    /// The number of attempts that workers have begun.
    public var attempts: Int
    /// The id of the watch that the compose was made for.
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
    /// The architectures as resolved. A compose of Pulp repositories has those of its repositories, which
    /// are not in the request.
    public var arches: [String] { specification?.pins.pulp.map(\.repositories.arches) ?? request.arches }

    /// The keys as resolved. A compose of Pulp repositories has the keys that Pulp names as signing keys of
    /// their packages.
    public var sigkeys: [String] { specification?.pins.pulp.map(\.repositories.sigkeys) ?? request.sigkeys }
}
