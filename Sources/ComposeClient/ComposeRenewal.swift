/// What is to be different about a compose that is renewed, as the body of a PATCH. A member that is `nil` stays as it was.
public struct ComposeRenewal: Hashable, Sendable, Encodable {
    /// What it is made from, as far as that can change.
    public struct Source: Hashable, Sendable, Encodable {
        public var builds: [String]?
        public var modules: [String]?

        public init(builds: [String]? = nil, modules: [String]? = nil) {
            self.builds = builds
            self.modules = modules
        }
    }

    /// From now on.
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
