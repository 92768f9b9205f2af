/// The place of a waiting compose in the queue, as the HTTP contract writes it. The answer for one
/// compose has it as `queue`. Lists and events do not, because it costs a look at the queue.
public struct QueueDocument: Hashable, Sendable, Codable {
    /// 1 if the compose is the next one.
    public var position: Int
    /// The number of composes that are expected to begin before this one.
    public var ahead: Int
    /// Why the compose waits, in a sentence.
    public var reason: String
    /// When the compose is expected to begin, in seconds from now. `nil` if that is not known.
    public var estimateSeconds: Int?

    public init(ahead: Int, reason: String, estimateSeconds: Int?) {
        position = ahead + 1
        self.ahead = ahead
        self.reason = reason
        self.estimateSeconds = estimateSeconds
    }

    private enum CodingKeys: String, CodingKey {
        case position, ahead, reason
        case estimateSeconds = "estimate_seconds"
    }

    /// Writes `null` if the time is not known, because the contract leaves out no member.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(position, forKey: .position)
        try members.encode(ahead, forKey: .ahead)
        try members.encode(reason, forKey: .reason)
        try members.encode(estimateSeconds, forKey: .estimateSeconds)
    }
}

extension QueueDocument: DocumentValue {
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.name("ahead")
            json.integer(ahead)
            json.name("estimate_seconds")
            if let estimateSeconds { json.integer(estimateSeconds) } else { json.null() }
            json.name("position")
            json.integer(position)
            json.name("reason")
            json.string(reason)
        }
    }
}
