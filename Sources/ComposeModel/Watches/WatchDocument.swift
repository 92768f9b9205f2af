import Foundation

/// A watch as the HTTP contract writes it. The members of its request stand among its own. They have
/// the same names and forms as in a ``ComposeDocument``.
@dynamicMemberLookup
public struct WatchDocument: Hashable, Sendable {
    /// A compose that the watch has made.
    public struct LatestCompose: Hashable, Sendable, Codable {
        public var id: Int
        /// The URL of the compose's document.
        public var url: String

        public init(id: Int, url: String) {
            self.id = id
            self.url = url
        }
    }

    public var id: Int
    public var owner: String
    public var request: RequestDocument
    /// The time to live of each compose in seconds, counted from its end.
    public var secondsToLive: Int
    public var timeCreated: String
    public var timeEnded: String?
    /// The event of Koji's history up to which changes of the tag are known, or `nil` before the first
    /// look.
    public var kojiEvent: Int?
    public var latestCompose: LatestCompose?
    /// The time when Koji was last asked about the watch.
    public var timeLooked: String?
    /// The reason why the last look failed, or `nil` if it succeeded.
    public var problem: String?

    /// Creates the document of a watch.
    ///
    /// - Parameter composeURL: Returns the URL of the document of the compose with that id.
    public init(_ watch: ComposeWatch, composeURL: (Int) -> String) {
        id = watch.id
        owner = watch.owner
        request = RequestDocument(watch.request)
        secondsToLive = watch.request.secondsToLive
        timeCreated = ComposeDocument.format(watch.createdAt)
        timeEnded = watch.endedAt.map(ComposeDocument.format)
        kojiEvent = watch.kojiEvent
        latestCompose = watch.latestCompose.map { LatestCompose(id: $0, url: composeURL($0)) }
        timeLooked = watch.lookedAt.map(ComposeDocument.format)
        problem = watch.problem
    }

    public subscript<Value>(dynamicMember member: WritableKeyPath<RequestDocument, Value>) -> Value {
        get { request[keyPath: member] }
        set { request[keyPath: member] = newValue }
    }
}

extension WatchDocument: ContractDocument {
    mutating func visit<Visitor: MemberVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try request.visitWatchable(&visitor)
        try visitor.member("id", &id)
        try visitor.member("owner", &owner)
        try visitor.member("seconds_to_live", &secondsToLive)
        try visitor.member("time_created", &timeCreated)
        try visitor.member("time_ended", &timeEnded)
        try visitor.member("koji_event", &kojiEvent)
        try visitor.member("latest_compose", &latestCompose)
        try visitor.member("time_looked", &timeLooked)
        try visitor.member("problem", &problem)
    }
}

extension WatchDocument: Codable {
    /// A document to decode into.
    private static let blank: Self = {
        let request = ComposeRequest(sourceType: .tag, source: [], arches: [], secondsToLive: 0)
        return Self(ComposeWatch(id: 0, owner: "", request: request, createdAt: .distantPast)) { _ in "" }
    }()

    public init(from decoder: any Decoder) throws {
        self = Self.blank
        try decodeMembers(from: decoder)
    }

    public func encode(to encoder: any Encoder) throws { try encodeMembers(to: encoder) }
}

extension WatchDocument.LatestCompose: DocumentValue {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("id", id)
            json.member("url", url)
        }
    }
}
