import CSolv

/// What packages require, and who provides it.
extension PackagePool {
    /// What the package requires, as ids of dependencies, in its own order.
    func requirements(_ package: Id) -> [Id] {
        dependencies(package, at: solvable(package).pointee.requires).filter { $0 != Id(SOLVABLE_PREREQMARKER.rawValue) }
    }

    func dependencies(_ package: Id, at offset: Offset) -> [Id] {
        guard offset != 0, var next = solvable(package).pointee.repo.pointee.idarraydata.map({ $0 + Int(offset) }) else { return [] }
        var ids: [Id] = []
        while next.pointee != 0 {
            ids.append(next.pointee)
            next += 1
        }
        return ids
    }

    /// Who provides a dependency, as far as this can be said without knowing what else is installed.
    func providers(_ dependency: Id) -> UnsafeBufferPointer<Id> {
        let start = pool_whatprovides_ptr(pool, dependency)!
        var count = 0
        while start[count] != 0 { count += 1 }
        return UnsafeBufferPointer(start: start, count: count)
    }

    /// Whether a package of `packages` provides the dependency, or every machine does.
    func isFulfilled(_ dependency: Id, in packages: SolvableSet) -> Bool {
        providers(dependency).contains { $0 == SYSTEMSOLVABLE || packages.contains($0) }
    }

    /// The dependency as its package states it.
    func text(ofDependency dependency: Id) -> String { String(cString: pool_dep2str(pool, dependency)) }

    /// Makes every machine provide the dependencies, until they are forgotten again.
    func assume(_ dependencies: [Id]) {
        for dependency in dependencies { pool_set_whatprovides(pool, dependency, offsetOfSystem) }
    }

    /// Takes back what was assumed of dependencies that nothing provides.
    func forget(_ dependencies: [Id]) {
        for dependency in dependencies { pool_set_whatprovides(pool, dependency, offsetOfNobody) }
    }

    // The two lists at the start of libsolv's whatprovidesdata.
    private var offsetOfNobody: Id { 1 }
    private var offsetOfSystem: Id { 2 }
}
