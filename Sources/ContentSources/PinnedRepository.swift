public import Repodata

/// A repository at one moment: its metadata, and where its package files lie.
public struct PinnedRepository: Hashable, Sendable {
    public let location: RepositoryLocation
    public let metadata: RepositoryMetadata
    /// `revision` of repomd.xml, usually a time or a counter.
    public let revision: String?
    /// How messages call it: "the repository /srv/repo". One that no request has named is not called by its location.
    public let place: String
    /// Keeps the metadata on this host's disk as long as it is used.
    private let hold: MetadataHold?

    public init(
        location: RepositoryLocation, metadata: RepositoryMetadata, revision: String?, place: String? = nil, hold: MetadataHold? = nil
    ) {
        self.place = place ?? "the repository \(location)"
        self.hold = hold
        self.location = location
        self.metadata = metadata
        self.revision = revision
    }
}
