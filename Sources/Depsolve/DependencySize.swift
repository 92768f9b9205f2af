import CSolv
import Repodata

/// How many clauses a rich dependency becomes when it is multiplied out, as a conjunction and as a disjunction.
///
/// The number can grow exponentially with the length, and libsolv has no limit: a short line of hostile metadata would eat all memory.
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
    /// A dependency may become so many clauses; those of real distributions become a few dozen.
    private static let mostClauses = 100_000.0

    /// Refuses metadata with a rich dependency that cannot be solved within reasonable memory.
    func refuseExplosiveDependencies() throws(DepsolveError) {
        var checked: [Bool: Set<Id>] = [:]
        for package in packages(ofLookaside: true) + packages() {
            let s = solvable(package).pointee
            for offset in [s.requires, s.conflicts, s.recommends, s.suggests, s.supplements, s.enhances] where offset != 0 {
                // As a requirement it becomes a conjunction, as a conflict a disjunction.
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
