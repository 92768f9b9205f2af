import CSolv

/// A set of packages that can be installed together: some requested packages with all their
/// dependencies.
struct InstallSet {
    let packages: SolvableSet
    /// The requested packages. All other packages are in the set because of them.
    let roots: [Id]
}

/// Requested packages with all their dependencies, as several install sets.
///
/// EACH requested package can be installed from one of these sets. They cannot always be installed all
/// at once.
///
/// The first solve installs as many requested packages together as possible. The packages that did not
/// fit are solved together next, and so on. A package that cannot be installed even alone lacks a
/// requirement or contradicts itself. A lacking requirement is then assumed to be provided, so that the
/// other dependencies of the package are still included.
struct Closure {
    let pool: PackagePool
    private(set) var sets: [InstallSet] = []
    /// Requirements that nothing provides, found while looking for a way to install a package. Not all of
    /// them are needed in the end.
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

    /// Solves in groups as long as that makes progress. Returns the packages that are left.
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

    /// Adds packages that cannot be installed.
    private mutating func takeBroken(_ broken: [Id]) throws(DepsolveError) {
        defer { pool.forget(Array(lacking)) }
        assume(unprovided(neededBy: broken))
        var solver = try InstallSolver(pool, for: broken)
        var pending = try takeWhatFits(broken, with: solver)
        while let package = pending.first {
            try pool.limit.check()
            if try solver.install([.package(package)]) {
                sets.append(InstallSet(packages: solver.installed, roots: [package]))
                // Other packages may lack the same requirements.
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

    /// Finds requirements without a provider that `packages` need in any case. It follows only requirements
    /// that leave no choice.
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

    /// Finds requirements without a provider that the packages of a problem have or need in any case.
    ///
    /// The solver reports only one lacking requirement. Looking further here saves one solve for each of
    /// the others.
    private func unprovided(in problem: [InstallSolver.Rule]) -> Set<Id> {
        let packages = problem.map(\.source).filter { $0 > SYSTEMSOLVABLE }
        let leaves = packages.flatMap(pool.requirements).flatMap { RichDependency($0, in: pool).positiveLeaves }
        return unprovided(neededBy: packages).union(leaves.filter { pool.providers($0).isEmpty })
    }

    /// Adds a package that contradicts itself, with the packages that satisfy its requirements, though not
    /// all requirements in one set.
    private mutating func takeRequirements(of package: Id, with solver: InstallSolver) throws(DepsolveError) {
        var pending = pool.inOrder(pool.requirements(package)).filter { !pool.providers($0).contains(package) }
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
