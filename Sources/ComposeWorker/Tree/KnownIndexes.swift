import Compression
import Repodata
import Synchronization

/// The metadata indexes that were used last. They stay open between composes, so that their documents
/// need not be mapped and their pages need not be found again for each compose.
final class KnownIndexes: Sendable {
    /// The number of indexes to keep. Each has the documents of a repository mapped.
    private static let most = 8

    /// The indexes in the order of their last use. The most recently used one is last.
    private let indexes: Mutex<[(metadata: RepositoryMetadata, index: MetadataIndex)]> = Mutex([])

    /// Returns the index of `metadata`. Opens it if it is not known, or if its files are not those that
    /// were opened. Blocks.
    func index(of metadata: RepositoryMetadata) throws(RepodataError) -> MetadataIndex {
        if let known = indexes.withLock({ $0.first { $0.metadata == metadata }?.index }), known.isCurrent {
            keep(known, of: metadata)
            return known
        }
        let index = try MetadataIndex(opening: metadata)
        keep(index, of: metadata)
        return index
    }

    private func keep(_ index: MetadataIndex, of metadata: RepositoryMetadata) {
        // Files are unmapped when the last copy goes. That must not happen under the lock.
        let forgotten = indexes.withLock { indexes in
            // Of each place, only the latest revision is needed.
            let gone = indexes.filter { $0.metadata.placeOrID == metadata.placeOrID }
            indexes.removeAll { $0.metadata.placeOrID == metadata.placeOrID }
            indexes.append((metadata, index))
            return indexes.count > Self.most ? gone + [indexes.removeFirst()] : gone
        }
        withExtendedLifetime(forgotten) {}
    }
}
