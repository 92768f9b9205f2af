public import Foundation

/// A standing compose: a request for packages of a Koji tag that is answered by a new compose whenever those packages change.
public struct ComposeWatch: Hashable, Sendable, Identifiable {
    /// Given once, never reused.
    public let id: Int
    public var owner: String
    /// What each of its composes is asked for with; of the source type `tag`.
    public var request: ComposeRequest
    public var createdAt: Date
    /// When somebody ended it; its composes stay until their own time is over.
    public var endedAt: Date?
    /// The event of Koji's history up to which its changes are known; `nil` before the first look.
    public var kojiEvent: Int?
    /// The newest compose that was made for it.
    public var latestCompose: Int?
    /// When Koji was asked about it last.
    public var lookedAt: Date?
    /// Why the last look failed, in whole sentences; `nil` when it did not.
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
