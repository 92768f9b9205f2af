/// A Pungi configuration at one commit: what a ``ComposeSpecification`` records of the source `NAME#COMMIT`.
public struct RawConfigPin: Hashable, Sendable, Codable {
    /// By which the service's configuration knows it.
    public var name: String
    /// The commit's full name: what the request's branch, tag or abbreviation was at that moment.
    public var commit: String

    public init(name: String, commit: String) {
        self.name = name
        self.commit = commit
    }
}
