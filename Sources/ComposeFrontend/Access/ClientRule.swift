import Identity

/// A client rule is an entry of `access.clients`: the senders that it names, and what they may ask for.
public struct ClientRule: Hashable, Sendable {
    /// How much each account that the rule names may have at a time. `nil` means any amount.
    public struct Limits: Hashable, Sendable {
        public var waiting: Int?
        public var underWay: Int?
        /// The number of requests that an account may send in a minute to one frontend.
        public var requestsPerMinute: Int?
        public var gigabytes: Int?
        public var watches: Int?

        public init(
            waiting: Int? = nil, underWay: Int? = nil, requestsPerMinute: Int? = nil, gigabytes: Int? = nil, watches: Int? = nil
        ) {
            self.waiting = waiting
            self.underWay = underWay
            self.requestsPerMinute = requestsPerMinute
            self.gigabytes = gigabytes
            self.watches = watches
        }
    }

    /// The name in messages and in the audit.
    public var name: String
    public var members: Members
    public var limits = Limits()
    /// The share of the workers that an account gets, compared with others whose work waits.
    public var weight = 1.0

    public init(name: String, members: Members) {
        self.name = name
        self.members = members
    }
}
