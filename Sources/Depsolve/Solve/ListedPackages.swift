import CSolv
import Repodata

/// The packages of a pool that listings name for the architecture of the pool, and the contradictions
/// among the listings and the repositories.
struct ListedPackages {
    private(set) var packages: SolvableSet
    private(set) var overruled: [OverruledPackage] = []

    /// The package that counts for a NEVRA, and the listing that names it.
    private struct Taken {
        let package: Id
        let listing: String
    }

    /// Finds the listed packages. Throws `.listedButAbsent` if a listing names a package that its
    /// repositories do not have.
    ///
    /// - Parameter listings: The listings in order of preference. If several packages have the same NEVRA,
    ///   the package of the first listing counts.
    init(_ listings: [PackageListing], in pool: PackagePool) throws(DepsolveError) {
        packages = pool.emptySet()
        let byRepository = Dictionary(grouping: pool.packages()) { pool.repository(of: $0) }
        var taken: [NEVRA: Taken] = [:]
        for listing in listings where listing.arch == pool.key.architecture.name {
            var absent = listing.packages.subtracting(pool.unnameable.map(\.package.package))
            for repository in listing.repositories {
                for package in byRepository[repository] ?? [] {
                    let nevra = pool.nevra(package)
                    guard listing.packages.contains(nevra) else { continue }
                    absent.remove(nevra)
                    guard let other = taken[nevra] else {
                        taken[nevra] = Taken(package: package, listing: listing.name)
                        packages.insert(package)
                        continue
                    }
                    if pool.record(other.package).pkgid != pool.record(package).pkgid {
                        overruled.append(
                            OverruledPackage(package: nevra, arch: listing.arch, listing: listing.name, taken: other.listing))
                    }
                }
            }
            guard absent.isEmpty else {
                throw .listedButAbsent(absent.sorted(), arch: listing.arch, listing: listing.name)
            }
        }
    }
}
