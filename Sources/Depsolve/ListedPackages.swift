import CSolv
import Repodata

/// The packages of a pool that listings name for its architecture, and where the listings contradict each other or the repositories.
struct ListedPackages {
    private(set) var packages: SolvableSet
    private(set) var overruled: [OverruledPackage] = []

    /// What one listing says of a NEVRA.
    private struct Taken {
        let package: Id
        let listing: String
    }

    /// - Parameter listings: in order of preference: of different packages with one NEVRA, that of the first listing counts.
    ///
    /// Throws `.listedButAbsent` when a listing names what its repositories do not have.
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
