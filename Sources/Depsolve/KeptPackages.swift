import CSolv
import Compression
public import Logging
public import Repodata

extension Depsolver {
    /// Writes the packages of whole metadata in libsolv's form beside its documents, as the first request
    /// for the repository would do. Blocks.
    public static func keepPackages(of metadata: RepositoryMetadata, logger: Logger) {
        guard let pool = pool_create() else { return }
        defer { pool_free(pool) }
        _ = pool_setdisttype(pool, DISTTYPE_RPM)
        pool_setdebugmask(pool, 0)
        guard let repository = repo_create(pool, metadata.id.hex) else { return }
        // An error shows again when a request needs the packages.
        _ = try? SolvFile(metadata: metadata, logger: logger).add(to: repository)
    }
}
