/// What somebody says some repositories hold for machines of one architecture: of those repositories these packages count and no others, and each of
/// them must be there.
public struct PackageListing: Hashable, Sendable {
    /// Who says so, as messages name it.
    public let name: String
    /// The base architecture of the tree that it is for.
    public let arch: String
    /// Where the packages are, by ``RepositoryMetadata/id``.
    public let repositories: [Checksum]
    public let packages: Set<NEVRA>

    public init(name: String, arch: String, repositories: [Checksum], packages: Set<NEVRA>) {
        self.name = name
        self.arch = arch
        self.repositories = repositories
        self.packages = packages
    }
}
