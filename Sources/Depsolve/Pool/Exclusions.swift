import CSolv

/// A check for too many exclusions. An exclusion is a pair of packages that cannot be installed
/// together: two versions of one name, or a conflict.
///
/// libsolv makes a rule for each exclusion and has no limit. 20,000 versions of one package result in
/// 400 million rules, more than memory holds.
struct Exclusions {
    /// The maximum number of pairs to solve.
    private static let most = DepsolveError.mostExclusions

    /// Whether all packages of the pool together have at most ``most`` pairs. Then no subset must be
    /// counted again.
    private let areFew: Bool

    init(of pool: PackagePool) {
        areFew = Self.count(among: pool.allPackages(ofLookaside: true) + pool.allPackages(), in: pool) <= Self.most
    }

    /// Throws `.tooManyExclusions` if the packages of `reach` have more pairs than ``most``.
    func check(_ reach: SolvableSet, in pool: PackagePool) throws(DepsolveError) {
        if !areFew, Self.count(among: reach.members, in: pool) > Self.most { throw .tooManyExclusions }
    }

    /// Counts the pairs among `packages`. It stops counting above ``most``.
    private static func count(among packages: some Sequence<Id>, in pool: PackagePool) -> Int {
        var count = 0
        for package in packages {
            let solvable = pool.solvable(package).pointee
            count += pool.providers(solvable.name).count
            for offset in [solvable.conflicts, solvable.obsoletes] where offset != 0 {
                for dependency in pool.dependencies(package, at: offset) where !pool.isFormula(dependency) {
                    count += pool.providers(dependency).count
                }
            }
            if count > most { break }
        }
        return count
    }
}
