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
        let solver = InstallSolver(pool)
        var broken: [Id] = []
        for package in try takeWhatFits(requested, with: solver) {
            try checkCancellation()
            if solver.install([.package(package)]) {
                sets.append(InstallSet(packages: solver.installed, roots: [package]))
            } else {
                broken.append(package)
            }
        }
        if !broken.isEmpty { try takeBroken(broken, with: solver) }
    }

    /// Solves in groups as long as that makes progress; returns what is left.
    private mutating func takeWhatFits(_ requested: [Id], with solver: InstallSolver) throws(DepsolveError) -> [Id] {
        var pending = requested
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
    private mutating func takeBroken(_ broken: [Id], with solver: InstallSolver) throws(DepsolveError) {
        defer { pool.forget(Array(lacking)) }
        var solver = solver
        var pending = broken
        while let package = pending.first {
            try checkCancellation()
            if solver.install([.package(package)]) {
                sets.append(InstallSet(packages: solver.installed, roots: [package]))
                // Others may lack the same.
                pending = try takeWhatFits(Array(pending.dropFirst()), with: solver)
                continue
            }
            let problem = solver.problem
            let found = unprovided(problem, installing: package)
            if found.isEmpty {
                problems.append(
                    InstallProblem(
                        package: pool.nevra(package), arch: pool.key.architecture.name, statements: problem.map(solver.statement)))
                try takeRequirements(of: package, with: solver)
                pending.removeFirst()
            } else {
                lacking.formUnion(found)
                pool.assume(found)
                solver = InstallSolver(pool)
            }
        }
    }

    /// What nothing provides among the requirements of the packages of a problem, and of those that they need in any case.
    ///
    /// One solve shows one thing that is lacking; looking further along requirements that leave no choice saves most of the others.
    private func unprovided(_ problem: [InstallSolver.Rule], installing package: Id) -> [Id] {
        var found: Set<Id> = []
        var seen = pool.emptySet()
        var pending = [package] + problem.compactMap { $0.source > SYSTEMSOLVABLE ? $0.source : nil }
        while let next = pending.popLast() {
            guard seen.insert(next) else { continue }
            for requirement in pool.requirements(next) {
                for leaf in RichDependency(requirement, in: pool).positiveLeaves where pool.providers(leaf).isEmpty {
                    found.insert(leaf)
                }
                let providers = pool.providers(requirement)
                if providers.count == 1, providers[0] > SYSTEMSOLVABLE, !pool.isFormula(requirement) { pending.append(providers[0]) }
            }
        }
        return found.sorted()
    }

    /// Takes a package that contradicts itself, with what fulfils its requirements, though not all of them at once.
    private mutating func takeRequirements(of package: Id, with solver: InstallSolver) throws(DepsolveError) {
        var pending = pool.requirements(package).filter { !pool.providers($0).contains(package) }
        while true {
            try checkCancellation()
            solver.installWhatFits(pending.map { .dependency($0) })
            var packages = solver.installed
            let rest = pending.filter { requirement in
                !RichDependency(requirement, in: pool).isSatisfied { pool.isFulfilled($0, in: packages) }
            }
            packages.insert(package)
            sets.append(InstallSet(packages: packages, roots: [package]))
            if rest.isEmpty || rest.count == pending.count { return }
            pending = rest
        }
    }
}

/// Throws if the current task was canceled.
func checkCancellation() throws(DepsolveError) {
    if Task.isCancelled { throw .canceled }
}
