import CSolv

/// Packages that can be installed together, some requested ones with all that they need.
struct InstallSet {
    let packages: SolvableSet
    /// The packages for whose sake the others are in it.
    let roots: [Id]
}

/// Requested packages with what they need: a set of install sets such that EACH requested package can be installed, though not all
/// of them at once.
///
/// A first solve installs as many requested packages together as fit; those that did not fit are tried together, and so on. What cannot
/// be installed even alone lacks something or contradicts itself. What it lacks is then taken to be there, so that everything else that
/// it needs still comes along.
struct Closure {
    let pool: PackagePool
    private(set) var sets: [InstallSet] = []
    /// Requirements that nothing provides and that were met in looking for a way to install a package. Not each of them is needed in the end.
    private(set) var lacking: Set<Id> = []
    private(set) var problems: [InstallProblem] = []

    init(of requested: [Id], in pool: PackagePool) throws(DepsolveError) {
        self.pool = pool
        var broken: [Id] = []
        for package in try takeWhatFits(requested) {
            let solver = InstallSolver(pool)
            try checkCancellation()
            if solver.install([.package(package)]) {
                sets.append(InstallSet(packages: solver.installed, roots: [package]))
            } else {
                broken.append(package)
            }
        }
        if !broken.isEmpty { try takeBroken(broken) }
    }

    /// Solves in groups as long as that makes progress; returns what is left.
    private mutating func takeWhatFits(_ requested: [Id]) throws(DepsolveError) -> [Id] {
        var pending = requested
        let solver = InstallSolver(pool)
        while !pending.isEmpty {
            try checkCancellation()
            solver.installWhatFits(pending.map { .package($0) })
            let fitting = pending.filter(solver.isInstalled)
            if fitting.isEmpty { break }
            sets.append(InstallSet(packages: solver.installed, roots: fitting))
            pending.removeAll(where: solver.isInstalled)
        }
        return pending
    }

    /// Takes packages that cannot be installed.
    private mutating func takeBroken(_ broken: [Id]) throws(DepsolveError) {
        defer { pool.forget(Array(lacking)) }
        var pending = broken
        while let package = pending.first {
            try checkCancellation()
            let solver = InstallSolver(pool)
            if solver.install([.package(package)]) {
                sets.append(InstallSet(packages: solver.installed, roots: [package]))
                // Others may lack the same.
                pending = try takeWhatFits(Array(pending.dropFirst()))
                continue
            }
            let problem = solver.problem
            let found = unprovided(problem)
            if found.isEmpty {
                problems.append(
                    InstallProblem(
                        package: pool.nevra(package), arch: pool.key.architecture.name, statements: problem.map(solver.statement)))
                try takeRequirements(of: package)
                pending.removeFirst()
            } else {
                lacking.formUnion(found)
                pool.assume(found)
            }
        }
    }

    /// What nothing provides among the requirements of the packages of a problem.
    private func unprovided(_ problem: [InstallSolver.Rule]) -> [Id] {
        var found: Set<Id> = []
        for rule in problem {
            switch SolverRuleinfo(rawValue: rule.type) {
            case SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP, SOLVER_RULE_PKG_REQUIRES:
                // A package that lacks one thing often lacks more: take them all, it saves a solve for each.
                for requirement in pool.requirements(rule.source) {
                    for leaf in RichDependency(requirement, in: pool).positiveLeaves where pool.providers(leaf).isEmpty {
                        found.insert(leaf)
                    }
                }
            default: break
            }
        }
        return found.sorted()
    }

    /// Takes a package that contradicts itself, with what fulfils each of its requirements.
    private mutating func takeRequirements(of package: Id) throws(DepsolveError) {
        var itself = pool.emptySet()
        itself.insert(package)
        sets.append(InstallSet(packages: itself, roots: [package]))
        let requirements = pool.requirements(package).filter { !pool.providers($0).contains(package) }
        for requirement in requirements {
            try checkCancellation()
            let solver = InstallSolver(pool)
            solver.installWhatFits([.dependency(requirement)])
            var packages = solver.installed
            packages.insert(package)
            sets.append(InstallSet(packages: packages, roots: [package]))
        }
    }
}

/// Throws if the current task was canceled.
func checkCancellation() throws(DepsolveError) {
    if Task.isCancelled { throw .canceled }
}
