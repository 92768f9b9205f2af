/// A Pungi configuration at one commit, as a ``ComposeSpecification`` records it for the source
/// `NAME#COMMIT`.
public struct RawConfigPin: Hashable, Sendable, Codable {
    /// The configuration's name in the configuration of the service. Example: `pungi`.
    public var name: String
    /// The full name of the commit that the request's branch, tag or abbreviation meant at that moment.
    public var commit: String

    public init(name: String, commit: String) {
        self.name = name
        self.commit = commit
    }
}
