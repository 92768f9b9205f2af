import CSolv

/// A breadth-first search in an install set along requirements. It begins at the roots, so it finds
/// each package by the shortest chain.
///
/// Packages that the search does not find can be left out of the set. The rest can still be installed.
/// Requirements with a single provider in the set are followed before requirements with several
/// providers.
struct RequirementSearch {
    /// The way in which a package was found: the package that requires it, and the dependency.
    struct Step {
        let package: Id
        let requirement: Id
        /// Whether the dependency is a rich conflict. Example: a package with `Conflicts: (old unless shim)`
        /// needs shim if old is installed.
        var isConflict = false
    }

    /// All packages that the roots need, directly or indirectly, in the order in which they were found. The
    /// roots come first.
    private(set) var found: [Id] = []
    /// The step to each found package except the roots.
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
        // These dependencies have providers that were found already, or that will be found later.
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

    /// Returns the dependencies of `package` that some package in the set must satisfy.
    private func needs(of package: Id) -> [(step: Step, leaf: Id)] {
        var needs: [(Step, Id)] = []
        for requirement in pool.inOrder(pool.requirements(package)) {
            let step = Step(package: package, requirement: requirement)
            if pool.isFormula(requirement) {
                needs += RichDependency(requirement, in: pool).supports(isFulfilled).map { (step, $0) }
            } else {
                needs.append((step, requirement))
            }
        }
        let conflicts = pool.dependencies(package, at: pool.solvable(package).pointee.conflicts).filter(pool.isFormula)
        for conflict in pool.inOrder(conflicts) {
            let step = Step(package: package, requirement: conflict, isConflict: true)
            needs += RichDependency(conflict, in: pool).denials(isFulfilled).map { (step, $0) }
        }
        return needs
    }

    private func isFulfilled(_ leaf: Id) -> Bool { pool.isFulfilled(leaf, in: set) }

    /// Returns the steps from a root to `package`. Each step has a package and its requirement that the
    /// next package satisfies.
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
