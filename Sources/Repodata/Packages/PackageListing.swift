public import Compression

/// A list of the packages in some repositories that count for machines of one architecture. Other
/// packages of these repositories do not count. Each listed package must be there.
public struct PackageListing: Hashable, Sendable {
    /// The origin of the list as messages name it, for example the location of a Pungi compose.
    public let name: String
    /// The base architecture of the tree that the list is for.
    public let arch: String
    /// The repositories that have the packages, by ``RepositoryMetadata/id``.
    public let repositories: [Checksum]
    public let packages: Set<NEVRA>

    public init(name: String, arch: String, repositories: [Checksum], packages: Set<NEVRA>) {
        self.name = name
        self.arch = arch
        self.repositories = repositories
        self.packages = packages
    }
}
