import CSolv
import Repodata

extension Depsolver {
    /// Returns the packages of the repositories of `request` that `pattern` may mean, with those that
    /// provide or obsolete it as a name. Modules and listings play no role.
    ///
    /// Throws `DepsolveError` if the metadata cannot be used.
    public func candidates(of pattern: String, in request: DepsolveRequest) throws(DepsolveError) -> PackageCandidates {
        guard let name = request.arches.first else {
            return PackageCandidates(packages: [], providers: [], obsoleters: [], nearest: [])
        }
        // Each pool has the packages of all architectures.
        guard let architecture = TreeArchitecture(name) else { throw .unknownArchitecture(name) }
        let pool = try pool(
            PackagePool.Key(repositories: request.repositories, lookaside: request.lookaside, architecture: architecture))
        return pool.candidates(of: PackagePattern(pattern))
    }
}

extension PackagePool {
    fileprivate func candidates(of pattern: PackagePattern) -> PackageCandidates {
        let all = (allPackages() + allPackages(ofLookaside: true)).filter { !isSource($0) }
        let names = pattern.readings.map(\.name)
        // The name is compared first, because most packages have another one.
        let found = all.filter { package in
            let name = text(solvable(package).pointee.name)
            return names.contains { $0.matches(name) } && pattern.mayMean(nevra(package))
        }.sorted(by: areInOrder)
        var providers: [NEVRA] = []
        var obsoleters: [NEVRA] = []
        if let name = existingID(pattern.text) {
            let others = Set(self.providers(name)).subtracting(found).filter { $0 > SYSTEMSOLVABLE && !isSource($0) }
            providers = others.sorted(by: areInOrder).prefix(PackageCandidates.mostRelated).map(nevra)
            let replacing = all.filter { package in
                solvable(package).pointee.name != name
                    && dependencies(package, at: solvable(package).pointee.obsoletes).contains { self.name(ofDependency: $0) == name }
            }
            obsoleters = replacing.sorted(by: areInOrder).prefix(PackageCandidates.mostRelated).map(nevra)
        }
        return PackageCandidates(
            packages: found.map { package in
                .init(
                    package: nevra(package), repository: repository(of: package), isLookaside: isLookaside(package),
                    sourceName: sourceName(package))
            }, providers: providers, obsoleters: obsoleters,
            nearest: found.isEmpty ? NearestNames(candidates: self.names).nearest(to: pattern.text) : [])
    }

    /// Returns the name in a dependency, without the version.
    private func name(ofDependency dependency: Id) -> Id {
        var id = dependency
        while id < 0 { id = relation(id).name }
        return id
    }
}
