import CSolv

/// The weak dependencies of the packages of a pool, kept apart from the packages: recommends, suggests,
/// supplements and enhances.
///
/// No package is installed because it is recommended. But if the solver has a choice, it prefers
/// recommended and suggested packages. dnf does the same if weak dependencies are switched off.
///
/// libsolv also makes rules for every package that weak dependencies lead to. For almost any request,
/// this is a sixth of a distribution. So packages get their weak dependencies back only for a solve in
/// which they can decide something.
struct WeakDependencies {
    /// The positions at which libsolv finds the four lists of a package. The position 0 is an empty list.
    fileprivate struct Lists {
        var recommends: Offset = 0
        var suggests: Offset = 0
        var supplements: Offset = 0
        var enhances: Offset = 0

        var isEmpty: Bool { (recommends, suggests, supplements, enhances) == (0, 0, 0, 0) }
    }

    /// The lists of consecutive packages.
    private var lists: [Lists] = []
    /// The package with the first of the lists.
    private var first = 0

    /// Takes the weak dependencies away from the packages of `pool`. If packages are copies, the originals
    /// keep theirs.
    mutating func take(from pool: PackagePool) {
        first = Int(pool.firstCopy)
        lists = (first..<pool.capacity).map { index in
            let solvable = pool.solvable(Id(index))
            let lists = Lists(
                recommends: solvable.pointee.recommends, suggests: solvable.pointee.suggests, supplements: solvable.pointee.supplements,
                enhances: solvable.pointee.enhances)
            Self.set(Lists(), of: solvable)
            return lists
        }
    }

    /// Gives all weak dependencies back to the packages.
    func giveBack(to pool: PackagePool) {
        for (index, lists) in lists.enumerated() { Self.set(lists, of: pool.solvable(Id(first + index))) }
    }

    private static func set(_ lists: Lists, of solvable: UnsafeMutablePointer<Solvable>) {
        solvable.pointee.recommends = lists.recommends
        solvable.pointee.suggests = lists.suggests
        solvable.pointee.supplements = lists.supplements
        solvable.pointee.enhances = lists.enhances
    }

    /// The weak dependencies that can influence a choice among some packages.
    struct Loan {
        fileprivate var lists: [(package: Id, lists: Lists)] = []

        /// Runs `body` while the packages of `pool` have their lent weak dependencies.
        func lend<T>(in pool: PackagePool, _ body: () throws(DepsolveError) -> T) throws(DepsolveError) -> T {
            for (package, lists) in lists { WeakDependencies.set(lists, of: pool.solvable(package)) }
            defer { for (package, _) in lists { WeakDependencies.set(Lists(), of: pool.solvable(package)) } }
            return try body()
        }
    }

    /// Returns the weak dependencies that can influence a choice among the packages of `reach`.
    ///
    /// - Parameter reach: All packages that may be installed.
    func loan(for reach: SolvableSet, in pool: PackagePool) -> Loan {
        var loan = Loan()
        for package in reach.members {
            var own = lists[Int(package) - first]
            if own.isEmpty { continue }
            func isOfUse(_ offset: Offset) -> Bool {
                pool.dependencies(package, at: offset).contains { dependency in
                    pool.isFormula(dependency) || pool.providers(dependency).contains(where: reach.contains)
                }
            }
            if !isOfUse(own.recommends) { own.recommends = 0 }
            if !isOfUse(own.suggests) { own.suggests = 0 }
            if !own.isEmpty { loan.lists.append((package, own)) }
        }
        return loan
    }
}
