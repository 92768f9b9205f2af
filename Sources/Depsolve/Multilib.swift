import CSolv

/// Finds the 32-bit counterparts of a tree's packages.
struct Multilib {
    let pool: PackagePool
    let method: MultilibMethod

    /// The packages of the same name and version for a compatible 32-bit architecture, with the package that brings each along.
    func counterparts(of packages: [Id]) throws(DepsolveError) -> [(id: Id, of: Id)] {
        var pairs: [(id: Id, of: Id)] = []
        for package in packages where !pool.isNoarch(package) && pool.isNative(package) && !pool.isDebug(package) {
            if let counterpart = counterpart(of: package) { pairs.append((counterpart, package)) }
        }
        if method.contains(.all) { return pairs }
        var owners: Set<Id> = []
        if method.contains(.runtime) {
            owners = try pool.ownersOfSharedObjects(among: pairs.map(\.id).filter { !isDevel($0) })
        }
        return pairs.filter { owners.contains($0.id) || method.contains(.devel) && isDevel($0.id) }
    }

    private func counterpart(of package: Id) -> Id? {
        let wanted = pool.solvable(package).pointee
        return pool.index.named(wanted.name)
            .filter { pool.solvable($0).pointee.evr == wanted.evr && pool.key.architecture.compatible.contains(pool.arch($0)) }
            .min { (pool.archScore($0) ?? .max) < (pool.archScore($1) ?? .max) }
    }

    private func isDevel(_ package: Id) -> Bool {
        let name = pool.text(pool.solvable(package).pointee.name)
        return name.hasSuffix("-devel") || name.hasSuffix("-static")
    }
}

extension PackagePool {
    func isDebug(_ package: Id) -> Bool {
        let name = text(solvable(package).pointee.name)
        return name.hasSuffix("-debuginfo") || name.hasSuffix("-debugsource")
    }

    /// The packages that provide a shared object, by what rpmbuild found in them, or else by the names of their files.
    func ownersOfSharedObjects(among packages: [Id]) throws(DepsolveError) -> Set<Id> {
        var owners: Set<Id> = []
        var unclear: [Id] = []
        for package in packages {
            let provides = dependencies(package, at: solvable(package).pointee.provides)
            if provides.contains(where: { $0 > 0 && isSharedObject(pool_id2str(pool, $0)) }) {
                owners.insert(package)
            } else {
                unclear.append(package)
            }
        }
        if unclear.isEmpty { return owners }
        return try withFilelists(onlyRepositories: true) {
            owners.union(unclear.filter(hasSharedObjectFile))
        }
    }

    private func hasSharedObjectFile(_ package: Id) -> Bool {
        var isFound = false
        withUnsafeMutablePointer(to: &isFound) { isFound in
            pool_search(
                pool, package, Id(SOLVABLE_FILELIST.rawValue), ".so", SEARCH_SUBSTRING,
                { isFound, _, _, _, value in
                    guard isSharedObject(value!.pointee.str) else { return 0 }
                    isFound!.assumingMemoryBound(to: Bool.self).pointee = true
                    return SEARCH_STOP
                }, isFound)
        }
        return isFound
    }
}

/// Whether a file, or what rpmbuild says a file provides, is a shared object: `libfoo.so`, `libfoo.so.1`, `libfoo.so.1()(64bit)`.
private func isSharedObject(_ name: UnsafePointer<CChar>) -> Bool {
    let name = String(cString: name).prefix { $0 != "(" }
    guard let marker = name.firstRange(of: ".so") else { return false }
    let rest = name[marker.upperBound...]
    return rest.isEmpty || rest.first == "." && rest.dropFirst().first?.isNumber == true
}
