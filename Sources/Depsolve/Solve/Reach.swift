import CSolv

extension PackagePool {
    /// Returns `roots` and all packages that may be installed because of them: every package that satisfies
    /// a requirement of another one in the set.
    ///
    /// The solver chooses which of these packages it installs in the end. It never installs any other
    /// package.
    func reach(of roots: [Id]) -> SolvableSet {
        var reach = emptySet()
        var pending = roots.filter { reach.insert($0) }
        var seen: Set<Id> = []

        func follow(_ dependency: Id) {
            for package in providers(dependency) where package > SYSTEMSOLVABLE && reach.insert(package) { pending.append(package) }
        }
        while let package = pending.popLast() {
            let solvable = solvable(package).pointee
            // A formula among the conflicts may require something. An example is `Conflicts: (old unless shim)`.
            let formulas = dependencies(package, at: solvable.conflicts).filter(isFormula)
            for dependency in requirements(package) + formulas where seen.insert(dependency).inserted {
                // The leaves of conditions are followed too. A condition that is negated twice is a requirement.
                for leaf in RichDependency(dependency, in: self).leaves { follow(leaf) }
            }
            // libsolv allows several architectures of a package only in lock step, so the twins of a package in
            // other architectures count too.
            for twin in providers(solvable.name) where twin > SYSTEMSOLVABLE {
                let other = self.solvable(twin).pointee
                if other.name == solvable.name, other.evr == solvable.evr, reach.insert(twin) { pending.append(twin) }
            }
        }
        return reach
    }
}
