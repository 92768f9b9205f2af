import CSolv
import Repodata

/// A check of packages that were not solved for. It finds requirements that no package of the tree or
/// the lookaside satisfies, and packages that could not be installed.
struct Installability {
    let pool: PackagePool
    /// The packages to check.
    let members: [Id]
    /// The packages of the tree.
    private let available: SolvableSet

    private(set) var missing: [(package: Id, requirement: Id)] = []
    private(set) var problems: [InstallProblem] = []
    private var satisfiable: [Id: Bool] = [:]

    init(of members: [Id], among available: SolvableSet, in pool: PackagePool) {
        self.pool = pool
        self.members = members
        self.available = available
    }

    /// Finds requirements that nothing provides. If `isThorough`, it also finds every package that could
    /// not be installed for another reason.
    mutating func check(isThorough: Bool) throws(DepsolveError) {
        var visible = available
        for package in pool.packages(ofLookaside: true) { visible.insert(package) }
        let result = try pool.withOnly(visible) { () throws(DepsolveError) -> Installability in
            var copy = self
            let needed = isThorough ? copy.needed() : members
            let lacking = try copy.findMissing(in: needed)
            if isThorough { try copy.findProblems(except: lacking, in: needed) }
            return copy
        }
        self = result
    }

    /// Returns the checked packages and all packages of the tree that they could need.
    private func needed() -> [Id] {
        pool.reach(of: members).members.filter(available.contains)
    }

    /// Returns the packages among `packages` that lack something.
    private mutating func findMissing(in packages: [Id]) throws(DepsolveError) -> SolvableSet {
        var lacking = pool.emptySet()
        let isLookedAt = Set(members)
        for package in packages {
            try pool.limit.check()
            for requirement in pool.requirements(package) where !isSatisfiable(requirement, for: package) {
                if isLookedAt.contains(package) { missing.append((package, requirement)) }
                lacking.insert(package)
            }
        }
        return lacking
    }

    private mutating func isSatisfiable(_ requirement: Id, for package: Id) -> Bool {
        if let known = satisfiable[requirement] { return known }
        guard pool.isFormula(requirement) else {
            let answer = !pool.providers(requirement).isEmpty
            satisfiable[requirement] = answer
            return answer
        }
        return RichDependency(requirement, in: pool).isSatisfiable { leaf in
            !pool.providers(leaf).isEmpty
        } isCertain: { leaf in
            pool.providers(leaf).contains { $0 == SYSTEMSOLVABLE || $0 == package }
        }
    }

    private mutating func findProblems(except lacking: SolvableSet, in needed: [Id]) throws(DepsolveError) {
        let dead = try spread(lacking, in: needed)
        var pending = members.filter { !dead.contains($0) }
        let solver = try InstallSolver(pool, for: pending)
        while !pending.isEmpty {
            try pool.limit.check()
            try solver.installWhatFits(pending.map { .package($0) })
            let rest = pending.filter { !solver.isInstalled($0) }
            if rest.count == pending.count { break }
            pending = rest
        }
        for package in pending {
            try pool.limit.check()
            if try solver.install([.package(package)]) { continue }
            problems.append(
                InstallProblem(
                    package: pool.nevra(package), arch: pool.key.architecture.name, statements: solver.problem.map(solver.statement)))
        }
    }

    /// Returns the packages that cannot be installed with any choice, because they need a package that
    /// lacks something.
    private func spread(_ lacking: SolvableSet, in needed: [Id]) throws(DepsolveError) -> SolvableSet {
        var dead = lacking
        var alive = needed.filter { !dead.contains($0) }
        var isStable = false
        while !isStable {
            try pool.limit.check()
            var available: [Id: Bool] = [:]
            func isAvailable(_ leaf: Id) -> Bool {
                if let known = available[leaf] { return known }
                let answer = pool.providers(leaf).contains { !dead.contains($0) }
                available[leaf] = answer
                return answer
            }
            let before = alive.count
            alive.removeAll { package in
                let isDead = pool.requirements(package).contains { requirement in
                    guard pool.isFormula(requirement) else { return !isAvailable(requirement) }
                    return !RichDependency(requirement, in: pool).isSatisfiable(isAvailable) { leaf in
                        pool.providers(leaf).contains { $0 == SYSTEMSOLVABLE || $0 == package }
                    }
                }
                if isDead { dead.insert(package) }
                return isDead
            }
            isStable = alive.count == before
        }
        return dead
    }
}
