import CSolv
import Repodata

/// The number of clauses that a rich dependency has after expansion, as a conjunction and as a
/// disjunction.
///
/// The number can grow exponentially with the length of the dependency, and libsolv has no limit. A
/// short line of hostile metadata could use up all memory.
private struct ClauseCount {
    var conjunctive: Double
    var disjunctive: Double

    init(conjunctive: Double, disjunctive: Double) {
        (self.conjunctive, self.disjunctive) = (conjunctive, disjunctive)
    }

    init(_ formula: RichDependency, in pool: PackagePool) {
        switch formula {
        case .leaf(let id): self.init(conjunctive: 1, disjunctive: Double(max(1, pool.providers(id).count)))
        case .and(let a, let b): self = ClauseCount(a, in: pool).and(ClauseCount(b, in: pool))
        case .or(let a, let b): self = ClauseCount(a, in: pool).or(ClauseCount(b, in: pool))
        case .given(let a, let condition, let otherwise):
            let condition = ClauseCount(condition, in: pool)
            self = ClauseCount(a, in: pool).or(condition.inverted)
            if let otherwise { self = and(ClauseCount(otherwise, in: pool).or(condition)) }
        case .unless(let a, let condition, let otherwise):
            let condition = ClauseCount(condition, in: pool)
            self = ClauseCount(a, in: pool).and(condition.inverted)
            if let otherwise { self = or(ClauseCount(otherwise, in: pool).and(condition)) }
        }
    }

    var inverted: ClauseCount { ClauseCount(conjunctive: disjunctive, disjunctive: conjunctive) }

    func and(_ other: ClauseCount) -> ClauseCount {
        ClauseCount(conjunctive: conjunctive + other.conjunctive, disjunctive: disjunctive * other.disjunctive)
    }

    func or(_ other: ClauseCount) -> ClauseCount {
        ClauseCount(conjunctive: conjunctive * other.conjunctive, disjunctive: disjunctive + other.disjunctive)
    }
}

extension PackagePool {
    /// The maximum number of clauses of one dependency. Dependencies of real distributions have a few
    /// dozen.
    private static let mostClauses = 100_000.0

    /// Whether all rich dependencies that the pool knows can be solved within reasonable memory. There are
    /// few of them.
    private var areDependenciesSmall: Bool {
        (1..<pool.pointee.nrels).allSatisfy { relation in
            let dependency = relation | Id.min
            guard isFormula(dependency) else { return true }
            let size = ClauseCount(RichDependency(dependency, in: self), in: self)
            return max(size.conjunctive, size.disjunctive) <= Self.mostClauses
        }
    }

    /// Throws `.unusableMetadata` if a rich dependency cannot be solved within reasonable memory.
    func refuseExplosiveDependencies() throws(DepsolveError) {
        // Not every dependency that the pool knows need be that of a package.
        if areDependenciesSmall { return }
        var checked: [Bool: Set<Id>] = [:]
        for package in packages(ofLookaside: true) + packages() {
            let s = solvable(package).pointee
            for offset in [s.requires, s.conflicts, s.recommends, s.suggests, s.supplements, s.enhances] where offset != 0 {
                // A requirement is expanded to a conjunction, a conflict to a disjunction.
                let isConflict = offset == s.conflicts
                for dependency in dependencies(package, at: offset) where isFormula(dependency) {
                    guard checked[isConflict, default: []].insert(dependency).inserted else { continue }
                    let size = ClauseCount(RichDependency(dependency, in: self), in: self)
                    guard (isConflict ? size.disjunctive : size.conjunctive) <= Self.mostClauses else {
                        throw .unusableMetadata(
                            repository: repository(of: package), document: "primary.xml",
                            reason: "a rich dependency of \(nevra(package)) is too complex: "
                                + "\(text(ofDependency: dependency).prefix(200))…")
                    }
                }
            }
        }
    }
}
