public import Compression
public import Repodata

/// Package candidates are the packages of repositories that a pattern may mean, whether a resolution
/// takes them or not.
///
/// Example: for `htop`, the two builds of `htop` of a repository, for all architectures.
public struct PackageCandidates: Hashable, Sendable {
    /// A package of a repository or of a lookaside.
    public struct Candidate: Hashable, Sendable {
        public let package: NEVRA
        /// The repository, by ``RepositoryMetadata/id``.
        public let repository: Checksum
        public let isLookaside: Bool
        /// The name of the source package, or `nil` if the repository does not report it.
        public let sourceName: String?
    }

    /// The packages that the pattern may mean, in the order of their names, versions and architectures.
    public let packages: [Candidate]
    /// Packages that provide the pattern as a name, without having it. At most ten.
    public let providers: [NEVRA]
    /// Packages that obsolete the pattern as a name. At most ten.
    public let obsoleters: [NEVRA]
    /// The most similar names, at most three. Empty if there are ``packages``.
    public let nearest: [String]

    static let mostRelated = 10
}
