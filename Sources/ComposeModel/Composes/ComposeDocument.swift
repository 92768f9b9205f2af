import Foundation

/// A compose as the HTTP contract writes it. The frontend and the events encode it, clients decode it.
///
/// The members of its request stand among its own. Example: `document.packages`.
@dynamicMemberLookup
public struct ComposeDocument: Hashable, Sendable {
    public var id: Int
    public var owner: String
    /// The request, with the source, the architectures and the keys as resolved.
    public var request: RequestDocument
    public var state: Int
    public var stateName: String
    public var stateReason: String?
    public var failure: ComposeFailure?
    public var timeSubmitted: String
    public var timeStarted: String?
    public var timeDone: String?
    public var timeToExpire: String?
    public var timeRemoved: String?
    public var removedBy: String?
    public var resultRepo: String
    public var resultRepofile: String
    public var toplevelURL: String
    public var kojiEvent: Int?
    public var kojiTaskID: Int?
    public var pungiComposeID: String?
    /// The watch that the compose was made for. The reference implementation has no such member.
    public var watch: Int?
    /// The place in the queue, if the compose waits. Only the answer for this compose alone has it.
    public var queue: QueueDocument?

    /// Creates the document of a compose.
    ///
    /// - Parameter targetURL: The URL at which the compose's target directory is served, without a trailing
    ///   slash. Example: `http://h/composes`.
    public init(_ compose: Compose, targetURL: String) {
        let layout = ComposeLayout(id: compose.resultOf)
        id = compose.id
        owner = compose.owner
        request = RequestDocument(compose.request)
        request.source = compose.source
        request.arches = compose.arches.joined(separator: " ")
        request.sigkeys = compose.sigkeys.joined(separator: " ")
        state = compose.state.rawValue
        stateName = compose.state.name
        stateReason = compose.stateReason
        failure = compose.failure
        timeSubmitted = Self.format(compose.timeSubmitted)
        timeStarted = compose.timeStarted.map(Self.format)
        timeDone = compose.timeDone.map(Self.format)
        timeToExpire = Self.format(compose.timeToExpire)
        timeRemoved = compose.timeRemoved.map(Self.format)
        removedBy = compose.removedBy
        toplevelURL = "\(targetURL)/\(layout.directory)"
        let hasRepository = compose.request.sourceType.traits.hasRepository
        resultRepo = hasRepository ? "\(toplevelURL)/\(ComposeLayout.repositories)" : ""
        resultRepofile = hasRepository ? "\(toplevelURL)/\(layout.repoFile)" : ""
        kojiEvent = compose.kojiEvent
        kojiTaskID = compose.kojiTaskID
        pungiComposeID = compose.pungiComposeID
        watch = compose.watch
    }

    public subscript<Value>(dynamicMember member: WritableKeyPath<RequestDocument, Value>) -> Value {
        get { request[keyPath: member] }
        set { request[keyPath: member] = newValue }
    }
}

extension ComposeDocument: ContractDocument {
    mutating func visit<Visitor: MemberVisitor & ~Copyable>(_ visitor: inout Visitor) throws(Visitor.Failure) {
        try request.visit(&visitor)
        try visitor.member("id", &id)
        try visitor.member("owner", &owner)
        try visitor.member("state", &state)
        try visitor.member("state_name", &stateName)
        try visitor.member("state_reason", &stateReason)
        try visitor.member("failure", &failure)
        try visitor.member("time_submitted", &timeSubmitted)
        try visitor.member("time_started", &timeStarted)
        try visitor.member("time_done", &timeDone)
        try visitor.member("time_to_expire", &timeToExpire)
        try visitor.member("time_removed", &timeRemoved)
        try visitor.member("removed_by", &removedBy)
        try visitor.member("result_repo", &resultRepo)
        try visitor.member("result_repofile", &resultRepofile)
        try visitor.member("toplevel_url", &toplevelURL)
        try visitor.member("koji_event", &kojiEvent)
        try visitor.member("koji_task_id", &kojiTaskID)
        try visitor.member("pungi_compose_id", &pungiComposeID)
        try visitor.member("watch", &watch)
    }
}

extension ComposeDocument: Codable {
    /// A document to decode into.
    private static let blank: Self = {
        let request = ComposeRequest(sourceType: .repo, source: [], arches: [], secondsToLive: 0)
        let compose = Compose(
            id: 0, owner: "", request: request, source: "", state: .wait, timeSubmitted: .distantPast, timeToExpire: .distantPast,
            resultOf: 0)
        return Self(compose, targetURL: "")
    }()

    public init(from decoder: any Decoder) throws {
        self = Self.blank
        try decodeMembers(from: decoder)
        queue = try decoder.container(keyedBy: MemberName.self).decodeIfPresent(QueueDocument.self, forKey: MemberName("queue"))
    }

    /// Encodes the members that every answer has, and the place in the queue if it is known.
    public func encode(to encoder: any Encoder) throws {
        try encodeMembers(to: encoder)
        var members = encoder.container(keyedBy: MemberName.self)
        try members.encodeIfPresent(queue, forKey: MemberName("queue"))
    }

    private static let order = MemberOrder(blank)

    /// Writes the document as JSON, with members in the order of their names. This is many times as fast as
    /// encoding the document.
    public func write(to json: inout JSONWriter) {
        write(to: &json, order: Self.order, further: [])
    }

    /// Writes the document as the answer for this compose alone, with its place in the queue.
    ///
    /// - Parameter valueless: Names of additional members, in order, which are written as `null`.
    public func writeDetail(to json: inout JSONWriter, valueless: [String] = []) {
        let further: [(String, (any DocumentValue)?)] = valueless.map { ($0, nil) } + [("queue", queue)]
        write(to: &json, order: Self.order, further: further.sorted { $0.0 < $1.0 })
    }
}

extension ComposeFailure: DocumentValue {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.name("code")
            json.string(code.rawValue)
            json.name("details")
            json.array(details) { $1.write(to: &$0) }
            json.name("isTransient")
            json.bool(isTransient)
            json.name("message")
            json.string(message)
        }
    }
}

extension ComposeFailure.Detail {
    fileprivate func write(to json: inout JSONWriter) {
        json.object { json in
            func text(_ name: String, _ value: String?) {
                guard let value else { return }
                json.name(name)
                json.string(value)
            }
            text("arch", arch)
            if let nearest {
                json.name("nearest")
                json.array(nearest) { $0.string($1) }
            }
            text("package", package)
            text("requirement", requirement)
            text("text", self.text)
        }
    }
}
