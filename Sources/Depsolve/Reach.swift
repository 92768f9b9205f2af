import CSolv

extension PackagePool {
    /// All packages that may be installed for the sake of `roots`, and these: whatever fulfils a requirement of theirs, and so on.
    ///
    /// Which of them are installed in the end is the solver's choice; it never installs another one.
    func reach(of roots: [Id]) -> SolvableSet {
        var reach = emptySet()
        var pending = roots.filter { reach.insert($0) }
        var seen: Set<Id> = []

        func follow(_ dependency: Id) {
            for package in providers(dependency) where package > SYSTEMSOLVABLE && reach.insert(package) { pending.append(package) }
        }
        while let package = pending.popLast() {
            let solvable = solvable(package).pointee
            // A formula among the conflicts may require something: `Conflicts: (old unless shim)`.
            let formulas = dependencies(package, at: solvable.conflicts).filter(isFormula)
            for dependency in requirements(package) + formulas where seen.insert(dependency).inserted {
                // Conditions too: negated twice, they are what is required.
                for leaf in RichDependency(dependency, in: self).leaves { follow(leaf) }
            }
            // libsolv has packages that differ in nothing but their architecture only in lock step.
            for twin in providers(solvable.name) where twin > SYSTEMSOLVABLE {
                let other = self.solvable(twin).pointee
                if other.name == solvable.name, other.evr == solvable.evr, reach.insert(twin) { pending.append(twin) }
            }
        }
        return reach
    }
}
