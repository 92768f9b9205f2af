import CSolv
import Repodata

/// A resolver of one tree. It begins with the packages that a request names and adds all others that
/// belong in the tree.
struct TreeResolver {
    let pool: PackagePool
    let request: DepsolveRequest
    let hasMultilib: Bool

    /// The packages of the tree with their reasons, debugging information included.
    private(set) var reasons: [Id: Reason] = [:]
    private(set) var problems: [InstallProblem] = []
    /// Packages that were left out because another package has their name, version and architecture.
    private(set) var overruled: [OverruledPackage] = []
    private var lacking: [(finding: Finding, chain: [MissingRequirement.Link])] = []
    private var reported: Set<Finding> = []

    private struct Finding: Hashable {
        let package: Id
        let requirement: Id
    }

    init(_ pool: PackagePool, _ request: DepsolveRequest, hasMultilib: Bool) {
        self.pool = pool
        self.request = request
        self.hasMultilib = hasMultilib
    }

    /// Fills the tree with the packages of `matches`. If the request names no packages, it takes
    /// everything.
    mutating func resolve(_ matches: [PackageSelection.Match]) throws(DepsolveError) {
        if request.packages.isEmpty {
            try takeEverything { _ in .everything }
        } else {
            try take(matches)
        }
        // Packages that were solved for need no further check.
        let isSolved = !request.packages.isEmpty && !request.noDeps
        if request.checkInstallability ? !isSolved : request.packages.isEmpty && !request.noDeps { try inspect(Array(reasons.keys)) }
        addDebug(of: Array(reasons.keys))
        if !request.packages.isEmpty { try dropTwins() }
    }

    mutating func takeEverything(_ reason: (Id) -> Reason) throws(DepsolveError) {
        var seen: Set<NEVRA> = []
        for package in pool.packages() where !pool.isSource(package) && pool.isNative(package) {
            if seen.insert(pool.nevra(package)).inserted { reasons[package] = reason(package) }
        }
        var members = Set(reasons.keys)
        try addMultilib(to: &members, solving: false)
    }

    /// Adds the packages of `matches`. Their dependencies are added too, unless the request excludes them.
    ///
    /// - Returns: All packages that belong to the matches, including packages that were in the tree before.
    @discardableResult
    mutating func take(_ matches: [PackageSelection.Match]) throws(DepsolveError) -> Set<Id> {
        var wanted: [(id: Id, reason: Reason)] = []
        for case .packages(let packages) in matches { wanted += packages }
        return try take(wanted, solving: !request.noDeps)
    }

    mutating func take(_ wanted: [(id: Id, reason: Reason)], solving: Bool) throws(DepsolveError) -> Set<Id> {
        var members: Set<Id> = []
        var requested: [Id] = []
        for (package, reason) in wanted where members.insert(package).inserted {
            if reasons[package]?.isByItself != true { reasons[package] = reason }
            requested.append(package)
        }
        if solving { try addClosure(of: requested, to: &members) }
        try addMultilib(to: &members, solving: solving)
        return members
    }

    // MARK: Dependencies

    private mutating func addClosure(of requested: [Id], to members: inout Set<Id>) throws(DepsolveError) {
        let closure = try Closure(of: requested, in: pool)
        problems += closure.problems
        for set in closure.sets {
            let search = try RequirementSearch(set, in: pool)
            for package in search.found where !pool.isLookaside(package) {
                members.insert(package)
                guard reasons[package] == nil, let step = search.steps[package] else { continue }
                reasons[package] = .requiredBy(pool.nevra(step.package), requirement: search.text(step))
            }
            if !closure.lacking.isEmpty { try report(search, set) }
        }
    }

    /// Reports the requirements that no package of the set satisfies.
    private mutating func report(_ search: RequirementSearch, _ set: InstallSet) throws(DepsolveError) {
        for package in search.found {
            try pool.limit.check()
            for requirement in pool.requirements(package) {
                let formula = RichDependency(requirement, in: pool)
                let isMet = formula.isSatisfied { pool.isFulfilled($0, in: set.packages) }
                // If a requirement has providers that are not in the set, there is a contradiction. It is reported as
                // a problem.
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
        lacking.append((Finding(package: package, requirement: requirement), chain))
    }

    /// Returns the requirements of packages of the tree that nothing provides.
    ///
    /// - Parameter hint: Returns a text about a package that provides the requirement but is seen only by
    ///   some machines: the reason why it does not help. Returns `nil` if the package was not wanted
    ///   anyway.
    func missing(hint: (Id) -> String? = { _ in nil }) throws(DepsolveError) -> [MissingRequirement] {
        // Many packages often lack the same requirement.
        var nearest: [Id: [String]] = [:]
        return try lacking.map { finding, chain throws(DepsolveError) in
            try pool.limit.check()
            let found = nearest[finding.requirement] ?? pool.nearestProviders.nearest(to: finding.requirement, hint: hint)
            nearest[finding.requirement] = found
            return MissingRequirement(
                package: pool.nevra(finding.package),
                arch: pool.key.architecture.name,
                requirement: pool.text(ofDependency: finding.requirement),
                nearest: found,
                chain: chain)
        }
    }

    /// Checks packages of the tree for requirements that the tree does not satisfy. If the request asks for
    /// it, it also finds other reasons why they could not be installed from the tree.
    mutating func inspect(_ packages: [Id]) throws(DepsolveError) {
        var available = pool.emptySet()
        for package in reasons.keys where pool.isShown(package) { available.insert(package) }
        var inspection = Installability(of: packages.sorted(), among: available, in: pool)
        try inspection.check(isThorough: request.checkInstallability)
        for problem in inspection.problems where !problems.contains(where: { $0.package == problem.package }) { problems.append(problem) }
        for (package, requirement) in inspection.missing { report(package, requirement) }
    }

    // MARK: Companions

    private mutating func addMultilib(to members: inout Set<Id>, solving: Bool) throws(DepsolveError) {
        guard hasMultilib, !request.multilibMethod.isEmpty else { return }
        let multilib = Multilib(pool: pool, method: request.multilibMethod)
        var seen: Set<Id> = []
        while true {
            // A counterpart may require 64-bit packages that have counterparts themselves.
            let unseen = members.filter { seen.insert($0).inserted }.sorted()
            let added = try multilib.counterparts(of: unseen).filter { members.insert($0.id).inserted }
            if added.isEmpty { return }
            for (package, origin) in added where reasons[package] == nil { reasons[package] = .multilib(of: pool.nevra(origin)) }
            if solving { try addClosure(of: added.map(\.id), to: &members) }
        }
    }

    mutating func addDebug(of packages: [Id]) {
        let related = RelatedPackages(pool: pool)
        var added: [Id] = []
        for package in packages.sorted() {
            for debug in related.debug(of: package) where reasons[debug] == nil {
                reasons[debug] = .debugOf(pool.nevra(package))
                added.append(debug)
            }
        }
        if request.noDeps { return }
        var next = 0
        while next < added.count {
            for (package, requirement) in related.debugRequired(by: added[next]) where reasons[package] == nil {
                reasons[package] = .requiredBy(pool.nevra(added[next]), requirement: pool.text(ofDependency: requirement))
                added.append(package)
            }
            next += 1
        }
        reportMissing(of: added)
    }

    /// Reports unsatisfied requirements of packages of debugging information. These packages are not solved
    /// for.
    ///
    /// Packages of other builds are not added because of debugging information. So a requirement that only
    /// other builds satisfy is reported only if everything must be installable.
    private mutating func reportMissing(of packages: [Id]) {
        for package in packages {
            for requirement in pool.requirements(package) {
                let formula = RichDependency(requirement, in: pool)
                let isMet = formula.isSatisfied { leaf in
                    pool.providers(leaf).contains { $0 == SYSTEMSOLVABLE || reasons[$0] != nil || pool.isLookaside($0) }
                }
                let isNowhere = formula.positiveLeaves.contains { pool.providers($0).isEmpty }
                if !isMet, isNowhere || request.checkInstallability { report(package, requirement) }
            }
        }
    }

    /// Keeps one package of each name, version and architecture: the package of the first repository.
    /// Repositories may have different packages like that, but a tree has room for only one. Then the
    /// remaining tree is checked again.
    mutating func dropTwins() throws(DepsolveError) {
        var kept: [[Id]: Id] = [:]
        for package in reasons.keys.sorted() {
            let solvable = pool.solvable(package).pointee
            let first = kept[[solvable.name, solvable.evr, solvable.arch], default: package]
            if first == package {
                kept[[solvable.name, solvable.evr, solvable.arch]] = package
                continue
            }
            reasons[package] = nil
            let isOfSame = pool.repository(of: package) == pool.repository(of: first)
            overruled.append(
                OverruledPackage(
                    package: pool.nevra(package), arch: pool.key.architecture.name, listing: isOfSame ? "The repository" : "a later one",
                    taken: isOfSame ? "The repository" : "the repository that comes first"))
        }
        if !overruled.isEmpty, !request.noDeps || request.checkInstallability { try inspect(reasons.keys.filter(pool.isShown)) }
    }

    // MARK: Results

    var tree: ArchitectureTree {
        var (binaries, debug): ([ResolvedPackage], [ResolvedPackage]) = ([], [])
        for package in reasons.keys.sorted(by: pool.areInOrder) {
            let record = pool.record(package)
            let resolved = ResolvedPackage(
                record: record, reason: reasons[package]!, alternatives: alternatives(of: package, record))
            if resolved.record.nevra.isDebug { debug.append(resolved) } else { binaries.append(resolved) }
        }
        return ArchitectureTree(arch: pool.key.architecture.name, binaries: binaries, debug: debug)
    }

    private func alternatives(of package: Id, _ record: PackageRecord) -> PackageAlternatives {
        let solvable = pool.solvable(package).pointee
        let namesakes = pool.providers(solvable.name).filter { other in
            other != package && other != SYSTEMSOLVABLE && pool.solvable(other).pointee.name == solvable.name && reasons[other] == nil
        }
        // Most packages have none.
        guard !namesakes.isEmpty else { return PackageAlternatives() }
        // A package that is not for the machines themselves was taken for multilib.
        let isNative = pool.isNative(package)
        let others = namesakes.filter { other in
            (pool.solvable(other).pointee.arch == solvable.arch || (isNative && pool.isNative(other)))
                && !pool.isLookaside(other) && pool.isShown(other)
        }
        func isSame(_ other: Id) -> Bool {
            let other = pool.solvable(other).pointee
            return other.evr == solvable.evr && other.arch == solvable.arch
        }
        var alternatives = PackageAlternatives()
        // Several repositories may have the same build.
        for other in others.filter({ !isSame($0) }).sorted(by: { pool.areInOrder($1, $0) })
        where alternatives.builds.count < PackageAlternatives.mostBuilds && alternatives.builds.last != pool.nevra(other) {
            alternatives.builds.append(pool.nevra(other))
        }
        let otherFiles = others.filter { isSame($0) && pool.record($0).pkgid != record.pkgid }.map { pool.repository(of: $0) }
        alternatives.otherFiles = request.repositories.map(\.id).filter { $0 != record.repository && otherFiles.contains($0) }
        return alternatives
    }

    /// The source packages of the packages of the tree. If everything was requested, all other source
    /// packages are included too.
    var sources: [ResolvedPackage] {
        let related = RelatedPackages(pool: pool)
        var sources: [Id: Reason] = [:]
        for package in reasons.keys.sorted() {
            if let source = related.source(of: package), sources[source] == nil {
                sources[source] = .sourceOf(pool.nevra(package))
            }
        }
        if request.packages.isEmpty, request.modules?.isAlone != true {
            for source in pool.index.allSources where sources[source] == nil { sources[source] = .everything }
        }
        return sources.map { ResolvedPackage(record: pool.record($0.key), reason: $0.value) }
    }
}
