import CSolv
import Repodata

/// Resolves one tree: from the packages that a request names to all that belong in the tree.
struct TreeResolver {
    let pool: PackagePool
    let request: DepsolveRequest
    let hasMultilib: Bool

    /// The packages of the tree, debugging information included.
    private(set) var reasons: [Id: Reason] = [:]
    private(set) var problems: [InstallProblem] = []
    private(set) var missing: [MissingRequirement] = []
    private var reported: Set<Finding> = []
    private var nearest: [Id: [String]] = [:]

    private struct Finding: Hashable {
        let package: Id
        let requirement: Id
    }

    init(_ pool: PackagePool, _ request: DepsolveRequest, hasMultilib: Bool) {
        self.pool = pool
        self.request = request
        self.hasMultilib = hasMultilib
    }

    /// Fills the tree with what `matches` name; everything, if the request names nothing.
    mutating func resolve(_ matches: [PackageSelection.Match]) throws(DepsolveError) {
        if request.packages.isEmpty {
            takeEverything()
            try addMultilib(solving: false)
        } else {
            let requested = take(matches)
            if !request.noDeps { try addClosure(of: requested) }
            try addMultilib(solving: !request.noDeps)
        }
        // What was solved for needs no further look.
        let isSolved = !request.packages.isEmpty && !request.noDeps
        if request.checkInstallability ? !isSolved : request.packages.isEmpty && !request.noDeps {
            try inspect(isThorough: request.checkInstallability)
        }
        addDebug()
    }

    private mutating func takeEverything() {
        var seen: Set<NEVRA> = []
        for package in pool.packages() where !pool.isSource(package) && pool.isNative(package) {
            if seen.insert(pool.nevra(package)).inserted { reasons[package] = .everything }
        }
    }

    private mutating func take(_ matches: [PackageSelection.Match]) -> [Id] {
        var requested: [Id] = []
        for case .packages(let packages) in matches {
            for (package, reason) in packages where reasons[package] == nil {
                reasons[package] = reason
                requested.append(package)
            }
        }
        return requested
    }

    // MARK: Dependencies

    private mutating func addClosure(of requested: [Id]) throws(DepsolveError) {
        let closure = try Closure(of: requested, in: pool)
        problems += closure.problems
        for set in closure.sets {
            let search = RequirementSearch(set, in: pool)
            for package in search.found where !pool.isLookaside(package) && reasons[package] == nil {
                guard let step = search.steps[package] else { continue }
                reasons[package] = .requiredBy(pool.nevra(step.package), requirement: search.text(step))
            }
            if !closure.lacking.isEmpty { report(search, set) }
        }
    }

    /// Reports the requirements that no package of the set fulfils.
    private mutating func report(_ search: RequirementSearch, _ set: InstallSet) {
        for package in search.found {
            for requirement in pool.requirements(package) {
                let formula = RichDependency(requirement, in: pool)
                let isMet = formula.isSatisfied { pool.isFulfilled($0, in: set.packages) }
                // A requirement with providers that are not in the set is a contradiction: a problem, and reported as one.
                let isLacking = formula.positiveLeaves.contains { pool.providers($0).isEmpty }
                if !isMet, isLacking {
                    report(
                        package, requirement,
                        chain: search.chain(to: package).map { .init(package: pool.nevra($0.package), requirement: search.text($0)) })
                }
            }
        }
    }

    private mutating func report(_ package: Id, _ requirement: Id, chain: [MissingRequirement.Link] = []) {
        guard reported.insert(Finding(package: package, requirement: requirement)).inserted else { return }
        missing.append(
            MissingRequirement(
                package: pool.nevra(package),
                arch: pool.key.architecture.name,
                requirement: pool.text(ofDependency: requirement),
                nearest: nearest(to: requirement),
                chain: chain))
    }

    /// Many packages often lack the same.
    private mutating func nearest(to requirement: Id) -> [String] {
        if let known = nearest[requirement] { return known }
        let found = pool.nearestProviders.nearest(to: requirement)
        nearest[requirement] = found
        return found
    }

    private mutating func inspect(isThorough: Bool) throws(DepsolveError) {
        var inspection = Installability(of: reasons.keys.sorted(), in: pool)
        try inspection.check(isThorough: isThorough)
        problems += inspection.problems
        for (package, requirement) in inspection.missing { report(package, requirement) }
    }

    // MARK: Companions

    private mutating func addMultilib(solving: Bool) throws(DepsolveError) {
        guard hasMultilib, !request.multilibMethod.isEmpty else { return }
        let multilib = Multilib(pool: pool, method: request.multilibMethod)
        var seen: Set<Id> = []
        while true {
            // What the counterparts require may be 64-bit packages that have a counterpart again.
            let unseen = reasons.keys.filter { seen.insert($0).inserted }.sorted()
            let added = try multilib.counterparts(of: unseen).filter { reasons[$0.id] == nil }
            if added.isEmpty { return }
            for (package, origin) in added { reasons[package] = .multilib(of: pool.nevra(origin)) }
            if solving { try addClosure(of: added.map(\.id)) }
        }
    }

    private mutating func addDebug() {
        let related = RelatedPackages(pool: pool)
        for package in reasons.keys.sorted() {
            for debug in related.debug(of: package) where reasons[debug] == nil {
                reasons[debug] = .debugOf(pool.nevra(package))
            }
        }
    }

    // MARK: Results

    var tree: ArchitectureTree {
        var (binaries, debug): ([ResolvedPackage], [ResolvedPackage]) = ([], [])
        var last: NEVRA?
        for package in reasons.keys.sorted(by: pool.areInOrder) {
            let resolved = ResolvedPackage(record: pool.record(package), reason: reasons[package]!)
            // Repositories may have different packages of one name and version; a tree has room for one.
            if resolved.record.nevra == last { continue }
            last = resolved.record.nevra
            if resolved.record.nevra.isDebug { debug.append(resolved) } else { binaries.append(resolved) }
        }
        return ArchitectureTree(arch: pool.key.architecture.name, binaries: binaries, debug: debug)
    }

    /// The source packages of the tree's packages, and where everything was requested, all others too.
    var sources: [ResolvedPackage] {
        let related = RelatedPackages(pool: pool)
        var sources: [Id: Reason] = [:]
        for package in reasons.keys.sorted() {
            if let source = related.source(of: package), sources[source] == nil {
                sources[source] = .sourceOf(pool.nevra(package))
            }
        }
        if request.packages.isEmpty {
            for source in pool.index.allSources where sources[source] == nil { sources[source] = .everything }
        }
        return sources.map { ResolvedPackage(record: pool.record($0.key), reason: $0.value) }
    }
}
