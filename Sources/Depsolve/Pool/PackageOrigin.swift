import CSolv
import Repodata

/// A package origin is a repository or a lookaside of a pool, with its packages in libsolv.
struct PackageOrigin {
    var metadata: RepositoryMetadata
    let isLookaside: Bool
    /// The libsolv repository with the packages that the solver sees.
    var pointer: UnsafeMutablePointer<Repo>
    /// Whether every element of the document is a package of the pool, so that positions in the document
    /// are positions in the pool.
    let isComplete: Bool
    /// The parts that the packages were copied from. `nil` if they are no copies.
    var parts: LayeredPackages?

    /// Whether the packages can become those of `metadata`, which may be another revision of the
    /// repository.
    func canFollow(_ metadata: RepositoryMetadata) -> Bool {
        if metadata.id == self.metadata.id { return true }
        let base = metadata.base ?? metadata.id
        return isComplete && (base == parts?.base || base == self.metadata.id)
    }

    /// Makes the packages those of `metadata`, for which ``canFollow(_:)`` must hold. Blocks. If it throws,
    /// the pool must not be used any more.
    mutating func follow(_ metadata: RepositoryMetadata) throws(DepsolveError) {
        if metadata.id != self.metadata.id {
            // The present revision was written as a whole.
            if metadata.base == self.metadata.id, parts?.base != metadata.base { parts?.rebase(on: self.metadata.id) }
            try parts?.follow(metadata)
        }
        self.metadata = metadata
    }
}
