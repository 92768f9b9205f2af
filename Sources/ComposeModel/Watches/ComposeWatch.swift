public import Foundation

/// A standing request for packages of a Koji tag. Whenever these packages change, a new compose is
/// made.
public struct ComposeWatch: Hashable, Sendable, Identifiable {
    /// The watch's number, which is never given to another watch.
    public let id: Int
    public var owner: String
    /// The request for each of its composes. Its source type is `tag`.
    public var request: ComposeRequest
    public var createdAt: Date
    /// The time when a user ended the watch. Its composes stay until they expire.
    public var endedAt: Date?
    /// The event of Koji's history up to which changes of the tag are known, or `nil` before the first
    /// look.
    public var kojiEvent: Int?
    /// The newest compose that was made for the watch.
    public var latestCompose: Int?
    /// The time when Koji was last asked about the watch.
    public var lookedAt: Date?
    /// The reason why the last look failed, in whole sentences, or `nil` if it succeeded.
    public var problem: String?

    public init(
        id: Int, owner: String, request: ComposeRequest, createdAt: Date, endedAt: Date? = nil, kojiEvent: Int? = nil,
        latestCompose: Int? = nil, lookedAt: Date? = nil, problem: String? = nil
    ) {
        self.id = id
        self.owner = owner
        self.request = request
        self.createdAt = createdAt
        self.endedAt = endedAt
        self.kojiEvent = kojiEvent
        self.latestCompose = latestCompose
        self.lookedAt = lookedAt
        self.problem = problem
    }
}
