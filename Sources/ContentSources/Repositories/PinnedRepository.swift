public import Repodata

/// A repository as it was at one moment: its metadata, and the location of its package files.
public struct PinnedRepository: Hashable, Sendable {
    public let location: RepositoryLocation
    public let metadata: RepositoryMetadata
    /// The content of repomd.xml. It is `nil` for a repository that this service made from Koji's packages.
    public let repomd: Repomd?
    /// The `revision` of repomd.xml, usually a time or a counter.
    public var revision: String? { repomd?.revision }
    /// The name of the repository in messages, for example "the repository /srv/repo".
    ///
    /// A repository that no request has named, such as one made from Koji, is not called by its location.
    /// Its name is "Koji".
    public let place: String
    /// A hold that keeps the metadata on this host's disk while this value exists.
    private let hold: MetadataHold?

    public init(
        location: RepositoryLocation, metadata: RepositoryMetadata, repomd: Repomd?, place: String? = nil, hold: MetadataHold? = nil
    ) {
        self.place = place ?? "the repository \(location)"
        self.hold = hold
        self.location = location
        self.metadata = metadata
        self.repomd = repomd
    }
}
