import CSolv

/// A check for too many exclusions. An exclusion is a pair of packages that cannot be installed
/// together: two versions of one name, or a conflict.
///
/// libsolv makes a rule for each exclusion and has no limit. 20,000 versions of one package result in
/// 400 million rules, more than memory holds.
enum Exclusions {
    /// The maximum number of pairs to solve.
    private static let most = DepsolveError.mostExclusions

    /// Throws `.tooManyExclusions` if the packages of `reach` have more pairs than ``most``.
    static func check(_ reach: SolvableSet, in pool: PackagePool) throws(DepsolveError) {
        var count = 0
        for package in reach.members {
            let solvable = pool.solvable(package).pointee
            count += pool.providers(solvable.name).count
            for offset in [solvable.conflicts, solvable.obsoletes] where offset != 0 {
                for dependency in pool.dependencies(package, at: offset) where !pool.isFormula(dependency) {
                    count += pool.providers(dependency).count
                }
            }
            if count > most { throw .tooManyExclusions }
        }
    }
}
