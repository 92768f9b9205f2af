public import Logging

/// A depsolver resolves requests with libsolv as dnf would, and keeps the loaded packages for later
/// requests.
///
/// A pool holds the packages of a set of repositories, as machines of one architecture see them.
/// Pools stay in memory until their total size exceeds a limit. Then the least recently used pool
/// is dropped first. Of a repository that changes, the latest two revisions are kept. All work runs
/// on a thread of the depsolver's own, one request after the other.
public actor Depsolver {
    private let executor = PoolExecutor()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// The maximum number of pools of revisions of the same repositories.
    private static let mostRelatedPools = 2

    private let poolMemoryLimit: Int
    private let timeLimit: Duration
    private let logger: Logger
    /// The pools in memory, the most recently used last.
    private var pools: [PackagePool] = []

    /// - Parameter bytes: The memory that all kept pools may occupy together. The pool in use is kept in
    ///   any case.
    /// - Parameter timeLimit: The maximum time for resolving the packages of one architecture, once they
    ///   are in memory. Other resolutions wait for as long.
    public init(
        poolMemoryLimit bytes: Int = 1 << 30, timeLimit: Duration = .seconds(60), logger: Logger = Logger(label: "depsolve")
    ) {
        poolMemoryLimit = bytes
        self.timeLimit = timeLimit
        self.logger = logger
    }

    /// Returns the packages that satisfy `request`.
    ///
    /// Absent packages, missing requirements and contradictions are part of the resolution. Throws
    /// `DepsolveError` if there is no resolution at all. The function ends soon after its task is canceled,
    /// or after the time limit.
    public func resolve(_ request: DepsolveRequest) async throws(DepsolveError) -> Resolution {
        let architectures = try Self.architectures(request.arches)
        var builder = try ResolutionBuilder(
            request, architectures: architectures, multilib: Self.architectures(request.multilibArches))
        for architecture in architectures {
            if Task.isCancelled { throw .canceled }
            let pool = try pool(
                PackagePool.Key(repositories: request.repositories, lookaside: request.lookaside, architecture: architecture))
            pool.limit = ResolutionLimit(timeLimit)
            do {
                try builder.addTree(from: pool)
            } catch {
                // A solver that was interrupted may have left its pool in any state.
                if error.mayHaveLeftSolver { pools.removeAll { $0 === pool } }
                throw error
            }
        }
        return builder.resolution
    }

    /// Returns the base architectures of `names`, each once: `i386` for `i686`, and `x86_64` for itself.
    ///
    /// Throws `.unknownArchitecture` for a name without a base architecture.
    public static func baseArchitectures(of names: [String]) throws(DepsolveError) -> [String] {
        try architectures(names).map(\.name)
    }

    private static func architectures(_ names: [String]) throws(DepsolveError) -> [TreeArchitecture] {
        var architectures: [TreeArchitecture] = []
        for name in names {
            guard let architecture = TreeArchitecture(name) else { throw .unknownArchitecture(name) }
            if !architectures.contains(architecture) { architectures.append(architecture) }
        }
        return architectures
    }

    // MARK: Pools

    private func pool(_ key: PackagePool.Key) throws(DepsolveError) -> PackagePool {
        if let index = pools.firstIndex(where: { $0.key == key }) {
            let pool = pools.remove(at: index)
            pools.append(pool)
            return pool
        }
        // Of a repository that changes all the time, only the latest revisions are likely to be used again. The
        // others are dropped first, so that their memory can be used for the new pool.
        removeRelatedPools(to: key)
        let pool = try PackagePool.load(key, logger: logger)
        pools.append(pool)
        var total = pools.reduce(0) { $0 + $1.footprint }
        while total > poolMemoryLimit, pools.count > 1 { total -= pools.removeFirst().footprint }
        logger.debug(
            "pool loaded",
            metadata: [
                "arch": "\(key.architecture.name)", "packages": "\(pool.capacity)", "bytes": "\(pool.footprint)", "pools": "\(pools.count)",
            ])
        return pool
    }

    /// Drops pools that are related to `key`, so that with the pool of `key` there are at most
    /// ``mostRelatedPools``.
    private func removeRelatedPools(to key: PackagePool.Key) {
        let related = pools.filter { $0.key.isRelated(to: key) }
        for old in related.dropLast(Self.mostRelatedPools - 1) { pools.removeAll { $0 === old } }
    }
}
