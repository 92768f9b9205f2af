import Compression
import Repodata
import Synchronization

/// The metadata with which revisions were compared last. It takes a sixth of the time of a small change
/// to prepare it again.
final class KnownBases: Sendable {
    /// The number of bases to keep. Each has its documents mapped, and some megabytes of memory.
    private static let most = 4

    /// The bases in the order of their last use. The most recently used one is last.
    private let bases: Mutex<[RepositoryBase]> = Mutex([])

    /// Returns the base with this metadata. Opens it if it is not known, or if its files are not those that
    /// were opened. Returns `nil` if it cannot be opened. Blocks.
    func base(_ metadata: RepositoryMetadata) -> RepositoryBase? {
        if let known = bases.withLock({ $0.first { $0.metadata == metadata } }), known.isCurrent {
            keep(known)
            return known
        }
        guard let base = RepositoryBase(opening: metadata) else { return nil }
        keep(base)
        return base
    }

    private func keep(_ base: RepositoryBase) {
        bases.withLock { bases in
            // Of each place, only the latest base is needed.
            bases.removeAll { $0.metadata.placeOrID == base.metadata.placeOrID }
            bases.append(base)
            if bases.count > Self.most { bases.removeFirst() }
        }
    }
}
