import ForeignText
public import Logging
import Modules
import Repodata

/// A depsolver resolves requests with libsolv as dnf would, and keeps the loaded packages for later
/// requests.
///
/// A pool holds the packages of a set of repositories, as machines of one architecture see them. Pools
/// stay in memory until their total size exceeds a limit. Then the least recently used pool is dropped
/// first. All work runs on a thread of the depsolver's own, one request after the other.
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
        let multilib = Set(try Self.architectures(request.multilibArches).map(\.name))
        let patterns = request.packages.reduce(into: [PackagePattern]()) { patterns, text in
            if !patterns.contains(where: { $0.text == text }) { patterns.append(PackagePattern(text)) }
        }

        var trees: [ArchitectureTree] = []
        var sources: [NEVRA: ResolvedPackage] = [:]
        var missing: [MissingRequirement] = []
        var problems: [InstallProblem] = []
        var overruled: [OverruledPackage] = []
        var unnameable: [UnnameablePackage] = []
        var unusable: [UnusableEntries] = []
        var absences = patterns.map { Absence($0) }
        let content = if let modules = request.modules { try CheckedModules(modules) } else { nil as CheckedModules? }
        var modules: Set<NSVC> = content?.included ?? []
        var moduleProblems: [ModuleProblem] = []
        var unknown = 0
        func note(_ index: Int, _ match: PackageSelection.Match, _ hidden: [HiddenPackage] = [], in pool: PackagePool) {
            if case .unknown = match { unknown += 1 }
            absences[index].note(match, in: pool, hidden: hidden, isNearestWanted: unknown <= Absence.mostWithNearest)
        }
        func resolveTree(of architecture: TreeArchitecture, from pool: PackagePool) throws(DepsolveError) {
            let hasMultilib = multilib.contains(architecture.name)
            let resolver: TreeResolver
            var inTree: Set<NSVC> = content?.included ?? []
            let lacking: [MissingRequirement]
            if let content {
                var modular = try ModularTreeResolver(pool, request, content, hasMultilib: hasMultilib)
                try modular.resolve(patterns) { index, match, hidden in note(index, match, hidden, in: pool) }
                inTree.formUnion(modular.modules)
                moduleProblems += modular.problems
                resolver = modular.tree
                lacking = try modular.missing()
            } else {
                let selection = PackageSelection(pool: pool)
                var matches: [PackageSelection.Match] = []
                for (index, pattern) in patterns.enumerated() {
                    try pool.limit.check()
                    matches.append(selection.match(pattern))
                    note(index, matches[index], in: pool)
                }
                var plain = TreeResolver(pool, request, hasMultilib: hasMultilib)
                try plain.resolve(matches)
                resolver = plain
                lacking = try plain.missing()
            }
            modules.formUnion(inTree)
            let tree = resolver.tree
            trees.append(ArchitectureTree(arch: tree.arch, binaries: tree.binaries, debug: tree.debug, modules: inTree.sorted()))
            missing += lacking.sorted {
                $0.package != $1.package ? $0.package < $1.package : $0.requirement.precedesInBytes($1.requirement)
            }
            problems += resolver.problems.sorted { $0.package < $1.package }
            overruled += resolver.overruled
            sources.merge(resolver.sources.map { ($0.record.nevra, $0) }) { first, _ in first }
        }
        for architecture in architectures {
            if Task.isCancelled { throw .canceled }
            let pool = try pool(
                PackagePool.Key(repositories: request.repositories, lookaside: request.lookaside, architecture: architecture))
            // The pools of all architectures have left out the same packages and entries.
            if trees.isEmpty {
                unnameable = pool.unnameable.map { UnnameablePackage($0.package, of: $0.repository) }
                unusable = pool.unusable
            }
            pool.limit = ResolutionLimit(timeLimit)
            do {
                if request.listings.isEmpty {
                    try resolveTree(of: architecture, from: pool)
                } else {
                    let listed = try ListedPackages(request.listings, in: pool)
                    overruled += listed.overruled
                    try pool.withListed(listed.packages) { () throws(DepsolveError) in try resolveTree(of: architecture, from: pool) }
                }
            } catch {
                // A solver that was interrupted may have left its pool in any state.
                if error.mayHaveLeftSolver { pools.removeAll { $0 === pool } }
                throw error
            }
        }
        return Resolution(
            trees: trees,
            sources: sources.values.sorted { $0.record.nevra < $1.record.nevra },
            absent: absences.compactMap { $0.report(architectures.map(\.name)) },
            missing: missing,
            problems: problems,
            overruled: overruled,
            unnameable: unnameable,
            unusable: unusable,
            modules: modules.sorted(),
            moduleProblems: moduleProblems)
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
}

/// A record of all trees in which one pattern matched nothing.
private struct Absence {
    let pattern: PackagePattern
    private var arches: [String] = []
    private var isFound = false
    private var nearest: [String] = []
    private var hidden: [HiddenPackage] = []
    private var unnameable: [UnnameablePackage] = []

    /// The maximum number of patterns for which similar names are searched. Each search compares all names
    /// of a repository.
    static let mostWithNearest = 50

    init(_ pattern: PackagePattern) {
        self.pattern = pattern
    }

    mutating func note(
        _ match: PackageSelection.Match, in pool: PackagePool, hidden packages: [HiddenPackage], isNearestWanted: Bool
    ) {
        if hidden.isEmpty { hidden = packages }
        switch match {
        case .packages: isFound = true
        case .notMeant: break
        case .otherArchitecture(let packages):
            arches.append(pool.key.architecture.name)
            if nearest.isEmpty {
                let named = Set(packages.map { "\(pool.nevra($0).name).\(pool.arch($0))" })
                nearest = Array(named.sorted().prefix(NearestNames.limit))
            }
        case .unknown:
            arches.append(pool.key.architecture.name)
            if unnameable.isEmpty { unnameable = pool.unnameable(meantBy: pattern) }
            if nearest.isEmpty, isNearestWanted {
                nearest = NearestNames(candidates: pool.names).nearest(to: pattern.text)
            }
        }
    }

    /// Returns the absent package, or `nil` if some tree has it and no tree lacks it.
    ///
    /// - Parameter all: The architectures of all trees.
    func report(_ all: [String]) -> AbsentPackage? {
        if isFound, arches.isEmpty { return nil }
        return AbsentPackage(
            pattern: pattern.text, arches: isFound ? arches : all, isNowhere: !isFound, nearest: isFound || !hidden.isEmpty ? [] : nearest,
            hidden: hidden, unnameable: isFound ? [] : unnameable)
    }
}
