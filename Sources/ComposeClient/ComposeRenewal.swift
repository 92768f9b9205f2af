/// A compose renewal is the body of a PATCH: the changes of a compose that is renewed. A member that is
/// `nil` leaves its value unchanged.
public struct ComposeRenewal: Hashable, Sendable, Encodable {
    /// The part of the compose's source that a renewal can change.
    public struct Source: Hashable, Sendable, Encodable {
        public var builds: [String]?
        public var modules: [String]?

        public init(builds: [String]? = nil, modules: [String]? = nil) {
            self.builds = builds
            self.modules = modules
        }
    }

    /// The new time to live in seconds, from now on.
    public var secondsToLive: Int?
    public var label: String?
    public var sigkeys: [String]?
    public var source: Source?

    public init(secondsToLive: Int? = nil, label: String? = nil, sigkeys: [String]? = nil, source: Source? = nil) {
        self.secondsToLive = secondsToLive
        self.label = label
        self.sigkeys = sigkeys
        self.source = source
    }

    enum CodingKeys: String, CodingKey {
        case label, sigkeys, source
        case secondsToLive = "seconds_to_live"
    }
}
