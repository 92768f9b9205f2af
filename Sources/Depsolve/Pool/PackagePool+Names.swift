import CSolv
import Compression
import ForeignText
import Glibc
import Repodata

/// The check for packages whose file name no file can have.
extension PackagePool {
    /// Removes packages from `repository` if no file can have their file name, and returns them with the
    /// problems.
    ///
    /// All later uses of the names of packages can rely on this check, above all paths.
    static func removeUnnameable(from repository: UnsafeMutablePointer<Repo>) -> [Unnameable] {
        let pool = repository.pointee.pool!
        var removed: [Unnameable] = []
        for package in repository.pointee.start..<repository.pointee.end {
            let solvable = pool.pointee.solvables + Int(package)
            guard solvable.pointee.repo == repository, !hasPlainNames(solvable.pointee, in: pool) else { continue }
            let nevra = nevra(solvable.pointee, in: pool)
            do {
                _ = try nevra.filename
            } catch {
                removed.append(Unnameable(package: nevra, problem: error))
                repo_free_solvable(repository, package, 0)
            }
        }
        return removed
    }

    /// A package that is not in the pool because no file can have its file name.
    struct Unnameable {
        let package: NEVRA
        let problem: PathComponent.Problem
    }

    /// Returns the left-out packages that `pattern` may mean.
    func unnameable(meantBy pattern: PackagePattern) -> [UnnameablePackage] {
        unnameable.filter { pattern.mayMean($0.package.package) }.map { UnnameablePackage($0.package, of: $0.repository) }
    }

    /// Whether the names are short and consist of plain characters. Nearly all names are like this, and
    /// need no further check.
    private static func hasPlainNames(_ solvable: Solvable, in pool: UnsafeMutablePointer<Pool>) -> Bool {
        var count = 0
        for id in [solvable.name, solvable.evr, solvable.arch] {
            guard var byte = pool_id2str(pool, id) else { return false }
            while byte.pointee != 0 {
                // Control characters, slashes and characters beyond ASCII are not plain.
                guard byte.pointee > 0x20, byte.pointee < 0x7F, byte.pointee != CChar(UInt8(ascii: "/")), count < longestPlainNames else {
                    return false
                }
                byte += 1
                count += 1
            }
        }
        return true
    }

    /// With the dashes, the dot and `.rpm`, this length is below the limit for file names.
    private static let longestPlainNames = 200
}

extension UnnameablePackage {
    init(_ package: PackagePool.Unnameable, of repository: Checksum) {
        self.init(
            package: package.package.description.printable(most: PathComponent.mostBytes), repository: repository,
            reason: package.problem.reason)
    }
}
