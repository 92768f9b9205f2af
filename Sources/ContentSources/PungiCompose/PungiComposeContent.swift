public import Repodata

/// The packages of one or more other composes, on this host.
public struct PungiComposeContent: Hashable, Sendable {
    /// The repositories of all of them, each once.
    public let repositories: [PinnedRepository]
    /// Which packages of those count, for each compose and architecture, in the order in which the composes were named.
    public let listings: [PackageListing]
    /// What is not as one might expect and does no harm: an architecture that a compose does not have, a tree that is not there. Sentences.
    public let notes: [String]
}
