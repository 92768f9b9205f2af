import CSolv
import Repodata

/// A search for the 32-bit counterparts of the packages of a tree.
struct Multilib {
    let pool: PackagePool
    let method: MultilibMethod

    /// Returns the packages of the same name and version for a compatible 32-bit architecture. Each comes
    /// with the package that it is the counterpart of.
    ///
    /// Example: `tool-1-1.i686` for `tool-1-1.x86_64`.
    func counterparts(of packages: [Id]) throws(DepsolveError) -> [(id: Id, of: Id)] {
        var pairs: [(id: Id, of: Id)] = []
        for package in packages where !pool.isNoarch(package) && pool.isNative(package) && !pool.isDebug(package) {
            if let counterpart = counterpart(of: package) { pairs.append((counterpart, package)) }
        }
        if method.contains(.all) { return pairs }
        var owners: Set<Id> = []
        if method.contains(.runtime) {
            owners = try pool.packagesWithRuntimeFiles(among: pairs.map(\.id).filter { !isDevel($0) })
        }
        return pairs.filter { owners.contains($0.id) || method.contains(.devel) && isDevel($0.id) }
    }

    private func counterpart(of package: Id) -> Id? {
        let wanted = pool.solvable(package).pointee
        return pool.named(wanted.name)
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
        NEVRA.isDebug(name: text(solvable(package).pointee.name))
    }
}
