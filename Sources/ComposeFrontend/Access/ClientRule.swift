import Identity

/// A client rule is an entry of `access.clients`: the senders that it names, and what they may ask for.
public struct ClientRule: Hashable, Sendable {
    /// The name in messages and in the audit.
    public var name: String
    public var members: Members

    public init(name: String, members: Members) {
        self.name = name
        self.members = members
    }
}
