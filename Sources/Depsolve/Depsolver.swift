import CLinux
public import Logging

/// A depsolver resolves requests with libsolv as dnf would, and keeps the loaded packages for later
/// requests.
///
/// A pool holds the packages of a set of repositories, as machines of one architecture see them.
/// Pools stay in memory until their total size exceeds a limit. Then the least recently used pool
/// is dropped first. The pool of a repository that changes follows it from revision to revision. All
/// work runs on a thread of the depsolver's own, one request after the other.
public actor Depsolver {
    private let executor = PoolExecutor()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

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

    func pool(_ key: PackagePool.Key) throws(DepsolveError) -> PackagePool {
        if let index = pools.firstIndex(where: { $0.key == key }) {
            let pool = pools.remove(at: index)
            pools.append(pool)
            return pool
        }
        if let pool = following(key) { return pool }
        // Of a repository that changes, only the latest revision is likely to be used again. The memory of the
        // others can be used for the new pool.
        let count = pools.count
        pools.removeAll { $0.key.isRelated(to: key) }
        if pools.count < count { malloc_trim(0) }
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

    /// Returns the pool of another revision of the same repositories, after it has become the pool of
    /// `key`. Returns `nil` if no pool can.
    private func following(_ key: PackagePool.Key) -> PackagePool? {
        guard let index = pools.lastIndex(where: { $0.canFollow(key) }) else { return nil }
        // No request uses it now, because each request is resolved without a pause.
        let pool = pools.remove(at: index)
        do throws(DepsolveError) {
            try pool.follow(key)
        } catch {
            // If anything is unusual, the repositories are loaded. Then all findings and errors are those of a
            // fresh worker.
            logger.notice("revision not followed", metadata: ["problem": "\(error)"])
            return nil
        }
        pools.append(pool)
        logger.debug("pool followed", metadata: ["arch": "\(key.architecture.name)", "bytes": "\(pool.footprint)"])
        return pool
    }
}
