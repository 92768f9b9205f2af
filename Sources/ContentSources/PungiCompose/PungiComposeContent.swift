public import Repodata

/// The packages of one or more other composes, on this host.
public struct PungiComposeContent: Hashable, Sendable {
    /// The repositories of all these composes, each of them once.
    public let repositories: [PinnedRepository]
    /// The packages of these repositories that count, for each compose and architecture. The order is that
    /// in which the composes were named.
    public let listings: [PackageListing]
    /// Sentences about surprises that do no harm: a compose lacks an architecture, or a repository does not
    /// exist.
    public let notes: [String]
}
