import CSolv
import ForeignText

/// The requirements of packages, and the packages that provide them.
extension PackagePool {
    /// Returns the requirements of the package as ids of dependencies. Their order depends on all other
    /// packages of the repository.
    func requirements(_ package: Id) -> [Id] {
        dependencies(package, at: solvable(package).pointee.requires).filter { $0 != Id(SOLVABLE_PREREQMARKER.rawValue) }
    }

    /// Returns dependencies in the order of their texts.
    ///
    /// The `.solv` file has the dependencies of a package in an order that depends on all other packages.
    /// If an order can show in an answer, it must be this one. Then an answer changes only if something
    /// that concerns it has changed.
    func inOrder(_ dependencies: [Id]) -> [Id] {
        if dependencies.count < 2 { return dependencies }
        return dependencies.map { (id: $0, text: text(ofDependency: $0)) }.sorted { $0.text.precedesInBytes($1.text) }.map(\.id)
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

    /// Returns the packages that provide a dependency, as far as this is known without the set of installed
    /// packages.
    func providers(_ dependency: Id) -> UnsafeBufferPointer<Id> {
        let start = pool_whatprovides_ptr(pool, dependency)!
        var count = 0
        while start[count] != 0 { count += 1 }
        return UnsafeBufferPointer(start: start, count: count)
    }

    /// Whether a package of `packages` provides the dependency, or every machine provides it.
    func isFulfilled(_ dependency: Id, in packages: SolvableSet) -> Bool {
        providers(dependency).contains { $0 == SYSTEMSOLVABLE || packages.contains($0) }
    }

    /// Returns the dependency as its package states it.
    func text(ofDependency dependency: Id) -> String { String(cString: pool_dep2str(pool, dependency)) }

    /// Makes every machine provide the dependencies, until ``forget(_:)`` is called.
    func assume(_ dependencies: [Id]) {
        for dependency in dependencies { pool_set_whatprovides(pool, dependency, offsetOfSystem) }
    }

    /// Ends the assumption that every machine provides the dependencies. The pool must have no other
    /// provider of them.
    func forget(_ dependencies: [Id]) {
        for dependency in dependencies { pool_set_whatprovides(pool, dependency, offsetOfNobody) }
    }

    // These are the two lists at the start of libsolv's whatprovidesdata.
    private var offsetOfNobody: Id { 1 }
    private var offsetOfSystem: Id { 2 }
}
