import CSolv

/// Who requires whom in an install set: a breadth-first search from its roots, so that each package is found by the shortest chain.
///
/// What it does not find can be left out of the set, and the rest can still be installed.
/// A package that is the only provider in the set of some requirement is found by way of that before one among several providers is.
struct RequirementSearch {
    /// How a package was found: who requires it, and by which dependency.
    struct Step {
        let package: Id
        let requirement: Id
        /// Whether it is a rich conflict that makes the requirement: `Conflicts: (old unless shim)`, together with old, needs shim.
        var isConflict = false
    }

    /// All packages that the roots need, directly or not, in the order in which they were found; the roots first.
    private(set) var found: [Id] = []
    /// For each but the roots.
    private(set) var steps: [Id: Step] = [:]

    private let pool: PackagePool
    private let set: SolvableSet
    private var seen: SolvableSet

    init(_ set: InstallSet, in pool: PackagePool) throws(DepsolveError) {
        self.pool = pool
        self.set = set.packages
        seen = pool.emptySet()
        for root in set.roots where seen.insert(root) { found.append(root) }

        var next = 0
        var choices: [(step: Step, providers: [Id])] = []
        var nextChoice = 0
        // Their providers were found already, or are going to be.
        var followed: Set<Id> = []
        while next < found.count || nextChoice < choices.count {
            if next < found.count {
                let package = found[next]
                next += 1
                try pool.limit.check()
                for (step, leaf) in needs(of: package) where !followed.contains(leaf) {
                    let providers = pool.providers(leaf).filter { $0 > SYSTEMSOLVABLE && self.set.contains($0) }
                    if providers.contains(package) { continue }
                    followed.insert(leaf)
                    if providers.count == 1 {
                        add(providers[0], step)
                    } else if providers.count > 1 {
                        choices.append((step, providers))
                    }
                }
            } else {
                for provider in choices[nextChoice].providers { add(provider, choices[nextChoice].step) }
                nextChoice += 1
            }
        }
    }

    private mutating func add(_ package: Id, _ step: Step) {
        guard seen.insert(package) else { return }
        found.append(package)
        steps[package] = step
    }

    /// The dependencies that some package in the set has to fulfil for `package`.
    private func needs(of package: Id) -> [(step: Step, leaf: Id)] {
        var needs: [(Step, Id)] = []
        for requirement in pool.requirements(package) {
            let step = Step(package: package, requirement: requirement)
            if pool.isFormula(requirement) {
                needs += RichDependency(requirement, in: pool).supports(isFulfilled).map { (step, $0) }
            } else {
                needs.append((step, requirement))
            }
        }
        for conflict in pool.dependencies(package, at: pool.solvable(package).pointee.conflicts) where pool.isFormula(conflict) {
            let step = Step(package: package, requirement: conflict, isConflict: true)
            needs += RichDependency(conflict, in: pool).denials(isFulfilled).map { (step, $0) }
        }
        return needs
    }

    private func isFulfilled(_ leaf: Id) -> Bool { pool.isFulfilled(leaf, in: set) }

    /// The way from a root to `package`: each package on it with what it requires of the next.
    func chain(to package: Id) -> [Step] {
        var chain: [Step] = []
        var package = package
        while let step = steps[package] {
            chain.append(step)
            package = step.package
        }
        return chain.reversed()
    }

    func text(_ step: Step) -> String {
        (step.isConflict ? "conflicts with " : "") + pool.text(ofDependency: step.requirement)
    }
}
