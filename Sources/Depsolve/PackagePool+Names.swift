import CSolv
import ForeignText
import Glibc
import Repodata

/// The packages of a pool whose files have names.
extension PackagePool {
    /// Takes the packages out of `repository` whose file can have no name; gives them with what is wrong.
    ///
    /// Everything that is made of a package's names later, a path above all, can rely on it.
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

    /// A package that is not in the pool.
    struct Unnameable {
        let package: NEVRA
        let problem: PathComponent.Problem
    }

    /// What `pattern` may mean of the packages that are not here.
    func unnameable(meantBy pattern: PackagePattern) -> [UnnameablePackage] {
        unnameable.filter { pattern.mayMean($0.package.package) }.map { UnnameablePackage($0.package, of: $0.repository) }
    }

    /// Whether the names are short and of plain characters, as nearly all are: then nothing has to be made of them to know that they are good.
    private static func hasPlainNames(_ solvable: Solvable, in pool: UnsafeMutablePointer<Pool>) -> Bool {
        var count = 0
        for id in [solvable.name, solvable.evr, solvable.arch] {
            guard var byte = pool_id2str(pool, id) else { return false }
            while byte.pointee != 0 {
                // No control character, no slash, nothing beyond ASCII.
                guard byte.pointee > 0x20, byte.pointee < 0x7F, byte.pointee != CChar(UInt8(ascii: "/")), count < longestPlainNames else {
                    return false
                }
                byte += 1
                count += 1
            }
        }
        return true
    }

    /// With the dashes, the dot and `.rpm` that is below what a file's name may have.
    private static let longestPlainNames = 200
}
