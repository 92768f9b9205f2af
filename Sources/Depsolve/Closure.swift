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
    /// Requirements that nothing provides and that were met in looking for a way to install a package. Not each of them is needed in
    /// the end.
    private(set) var lacking: Set<Id> = []
    private(set) var problems: [InstallProblem] = []

    init(of requested: [Id], in pool: PackagePool) throws(DepsolveError) {
        self.pool = pool
        let solver = try InstallSolver(pool, for: requested)
        var broken: [Id] = []
        for package in try takeWhatFits(requested, with: solver) {
            try pool.limit.check()
            if !unprovided(neededBy: [package], stoppingAtFirst: true).isEmpty {
                broken.append(package)
            } else if try solver.install([.package(package)]) {
                sets.append(InstallSet(packages: solver.installed, roots: [package]))
            } else {
                broken.append(package)
            }
        }
        if !broken.isEmpty { try takeBroken(broken) }
    }

    /// Solves in groups as long as that makes progress; returns what is left.
    private mutating func takeWhatFits(_ requested: [Id], with solver: InstallSolver) throws(DepsolveError) -> [Id] {
        var pending = requested
        while !pending.isEmpty {
            try pool.limit.check()
            try solver.installWhatFits(pending.map { .package($0) })
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
        assume(unprovided(neededBy: broken))
        var solver = try InstallSolver(pool, for: broken)
        var pending = try takeWhatFits(broken, with: solver)
        while let package = pending.first {
            try pool.limit.check()
            if try solver.install([.package(package)]) {
                sets.append(InstallSet(packages: solver.installed, roots: [package]))
                // Others may lack the same.
                pending = try takeWhatFits(Array(pending.dropFirst()), with: solver)
                continue
            }
            let problem = solver.problem
            let found = unprovided(in: problem)
            if found.isEmpty {
                problems.append(
                    InstallProblem(
                        package: pool.nevra(package), arch: pool.key.architecture.name, statements: problem.map(solver.statement)))
                try takeRequirements(of: package, with: solver)
                pending.removeFirst()
            } else {
                assume(found)
                solver = try InstallSolver(pool, for: pending)
            }
        }
    }

    private mutating func assume(_ found: Set<Id>) {
        lacking.formUnion(found)
        pool.assume(found.sorted())
    }

    /// What nothing provides among all that `packages` need in any case: along requirements that leave no choice.
    private func unprovided(neededBy packages: [Id], stoppingAtFirst: Bool = false) -> Set<Id> {
        var found: Set<Id> = []
        var seen = pool.emptySet()
        var pending = packages
        while let next = pending.popLast(), !(stoppingAtFirst && !found.isEmpty) {
            guard seen.insert(next) else { continue }
            for requirement in pool.requirements(next) where !pool.isFormula(requirement) {
                let providers = pool.providers(requirement)
                if providers.isEmpty { found.insert(requirement) }
                if providers.count == 1, providers[0] > SYSTEMSOLVABLE { pending.append(providers[0]) }
            }
        }
        return found
    }

    /// What nothing provides among the requirements of the packages of a problem, and what these need in any case.
    ///
    /// The solver shows one thing that is lacking; looking further saves a solve for each of the others.
    private func unprovided(in problem: [InstallSolver.Rule]) -> Set<Id> {
        let packages = problem.map(\.source).filter { $0 > SYSTEMSOLVABLE }
        let leaves = packages.flatMap(pool.requirements).flatMap { RichDependency($0, in: pool).positiveLeaves }
        return unprovided(neededBy: packages).union(leaves.filter { pool.providers($0).isEmpty })
    }

    /// Takes a package that contradicts itself, with what fulfils its requirements, though not all of them at once.
    private mutating func takeRequirements(of package: Id, with solver: InstallSolver) throws(DepsolveError) {
        var pending = pool.requirements(package).filter { !pool.providers($0).contains(package) }
        while true {
            try pool.limit.check()
            try solver.installWhatFits(pending.map { .dependency($0) })
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
