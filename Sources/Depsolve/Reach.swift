import CSolv

/// All packages that may be installed for the sake of some others, the roots: whatever fulfils a requirement of theirs, and so on.
///
/// Which of them are installed in the end is the solver's choice; it never installs another one.
struct Reach {
    /// The roots, and all that was found.
    private(set) var packages: SolvableSet
    /// Packages that are one among several for the same purpose, so that the solver has to choose.
    private(set) var choices: SolvableSet

    init(of roots: [Id], in pool: PackagePool) {
        packages = pool.emptySet()
        choices = pool.emptySet()
        var pending = roots.filter { packages.insert($0) }
        var seen: Set<Id> = []

        func follow(_ found: some Sequence<Id>, isChoice: Bool) {
            for package in found where package > SYSTEMSOLVABLE {
                if isChoice { choices.insert(package) }
                if packages.insert(package) { pending.append(package) }
            }
        }
        while let package = pending.popLast() {
            let solvable = pool.solvable(package).pointee
            // A formula among the conflicts may require something: `Conflicts: (old unless shim)`.
            let formulas = pool.dependencies(package, at: solvable.conflicts).filter(pool.isFormula)
            for dependency in pool.requirements(package) + formulas where seen.insert(dependency).inserted {
                if pool.isFormula(dependency) {
                    for leaf in RichDependency(dependency, in: pool).leaves { follow(pool.providers(leaf), isChoice: true) }
                } else {
                    let providers = pool.providers(dependency)
                    follow(providers, isChoice: providers.count > 1)
                }
            }
            // libsolv has packages that differ in their architecture only in lock step.
            let twins = pool.providers(solvable.name).filter {
                $0 != package && pool.solvable($0).pointee.name == solvable.name && pool.solvable($0).pointee.evr == solvable.evr
            }
            follow(twins, isChoice: true)
        }
    }
}
