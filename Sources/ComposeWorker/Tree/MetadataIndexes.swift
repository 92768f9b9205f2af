import Compression
import ContentSources
import NIOPosix
import Repodata

/// Metadata indexes are the indexes of the repositories that a compose takes packages from, by the
/// repositories' ids.
struct MetadataIndexes: Sendable {
    private let known: KnownIndexes
    private var indexes: [Checksum: MetadataIndex] = [:]

    init(_ known: KnownIndexes) { self.known = known }

    subscript(repository: Checksum) -> MetadataIndex? { indexes[repository] }

    /// Returns these indexes together with those of `repositories`. If an index must be made first, this
    /// takes about as long as resolving. Throws a `RepodataError`.
    func adding(_ repositories: [PinnedRepository], threadPool: NIOThreadPool) async throws -> MetadataIndexes {
        try await threadPool.runIfActive {
            var all = self
            for repository in repositories where all.indexes[repository.metadata.id] == nil {
                all.indexes[repository.metadata.id] = try known.index(of: repository.metadata)
            }
            return all
        }
    }

    /// Returns the number of packages that have no file list or no change log here, by repository.
    func incomplete(among records: some Sequence<PackageRecord>) throws(RepodataError) -> [Checksum: Int] {
        var incomplete: [Checksum: Int] = [:]
        for record in records {
            if let index = indexes[record.repository], try !index.isComplete(record.pkgid) {
                incomplete[record.repository, default: 0] += 1
            }
        }
        return incomplete
    }
}
