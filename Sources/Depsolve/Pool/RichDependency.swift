import CSolv

/// A dependency as a formula, such as `(a or b)` or `(a if b else c)`. Its leaves are plain
/// dependencies.
///
/// The definition of a formula is libsolv's: a combination with `and`, `if` or `unless`. libsolv knows
/// the providers of all other dependencies.
indirect enum RichDependency {
    case leaf(Id)
    case and(RichDependency, RichDependency)
    case or(RichDependency, RichDependency)
    /// `a if condition else otherwise`
    case given(RichDependency, condition: RichDependency, otherwise: RichDependency?)
    /// `a unless condition else otherwise`
    case unless(RichDependency, condition: RichDependency, otherwise: RichDependency?)

    init(_ id: Id, in pool: PackagePool) {
        guard id < 0, pool.isFormula(id) else {
            self = .leaf(id)
            return
        }
        let relation = pool.relation(id)
        let first = RichDependency(relation.name, in: pool)
        switch relation.flags {
        case REL_AND: self = .and(first, RichDependency(relation.evr, in: pool))
        case REL_OR: self = .or(first, RichDependency(relation.evr, in: pool))
        default:
            var condition = relation.evr
            var otherwise: RichDependency?
            if condition < 0, pool.relation(condition).flags == REL_ELSE {
                otherwise = RichDependency(pool.relation(condition).evr, in: pool)
                condition = pool.relation(condition).name
            }
            let test = RichDependency(condition, in: pool)
            self =
                relation.flags == REL_COND
                ? .given(first, condition: test, otherwise: otherwise) : .unless(first, condition: test, otherwise: otherwise)
        }
    }

    /// Whether the formula holds. `holds` says which leaves hold.
    func isSatisfied(_ holds: (Id) -> Bool) -> Bool {
        switch self {
        case .leaf(let id): holds(id)
        case .and(let a, let b): a.isSatisfied(holds) && b.isSatisfied(holds)
        case .or(let a, let b): a.isSatisfied(holds) || b.isSatisfied(holds)
        case .given(let a, let condition, let otherwise):
            condition.isSatisfied(holds) ? a.isSatisfied(holds) : otherwise?.isSatisfied(holds) ?? true
        case .unless(let a, let condition, let otherwise):
            condition.isSatisfied(holds) ? otherwise?.isSatisfied(holds) ?? false : a.isSatisfied(holds)
        }
    }

    /// Whether some choice of packages may make the formula hold. The result `true` is no guarantee,
    /// because packages may conflict.
    ///
    /// - Parameters:
    ///   - isAvailable: Says which leaves can be made to hold.
    ///   - isCertain: Says which leaves hold in any case.
    func isSatisfiable(_ isAvailable: (Id) -> Bool, isCertain: (Id) -> Bool) -> Bool {
        func can(_ part: RichDependency) -> Bool { part.isSatisfiable(isAvailable, isCertain: isCertain) }
        return switch self {
        case .leaf(let id): isAvailable(id)
        case .and(let a, let b): can(a) && can(b)
        case .or(let a, let b): can(a) || can(b)
        case .given(let a, let condition, let otherwise):
            can(a) || !condition.isUnavoidable(isCertain) && otherwise.map(can) ?? true
        case .unless(let a, let condition, let otherwise):
            !condition.isUnavoidable(isCertain) && can(a) || otherwise.map(can) ?? false
        }
    }

    /// Whether the formula holds with all choices of packages, as far as this is known without a solve.
    private func isUnavoidable(_ isCertain: (Id) -> Bool) -> Bool {
        switch self {
        case .leaf(let id): isCertain(id)
        case .and(let a, let b): a.isUnavoidable(isCertain) && b.isUnavoidable(isCertain)
        case .or(let a, let b): a.isUnavoidable(isCertain) || b.isUnavoidable(isCertain)
        case .given(let a, _, let otherwise): a.isUnavoidable(isCertain) && otherwise?.isUnavoidable(isCertain) ?? true
        case .unless(_, let condition, let otherwise): condition.isUnavoidable(isCertain) && otherwise?.isUnavoidable(isCertain) ?? false
        }
    }

    /// Returns leaves that keep the formula satisfied. As long as they hold, packages that satisfy none of
    /// them can be left out.
    ///
    /// - Parameter holds: Says which leaves hold now.
    func supports(_ holds: (Id) -> Bool) -> [Id] {
        switch self {
        case .leaf(let id): return [id]
        case .and(let a, let b): return a.supports(holds) + b.supports(holds)
        case .or(let a, let b): return a.isSatisfied(holds) ? a.supports(holds) : b.supports(holds)
        case .given(let a, let condition, let otherwise):
            if !condition.isSatisfied(holds) { return condition.denials(holds) + (otherwise?.supports(holds) ?? []) }
            return (otherwise == nil ? [] : condition.supports(holds)) + a.supports(holds)
        case .unless(let a, let condition, let otherwise):
            if !condition.isSatisfied(holds) { return condition.denials(holds) + a.supports(holds) }
            return otherwise.map { condition.supports(holds) + $0.supports(holds) } ?? []
        }
    }

    /// Returns leaves that keep the formula unsatisfied, if it does not hold now. As long as they hold,
    /// packages that satisfy none of them can be left out.
    ///
    /// - Parameter holds: Says which leaves hold now.
    func denials(_ holds: (Id) -> Bool) -> [Id] {
        switch self {
        case .leaf: return []
        case .and(let a, let b): return a.isSatisfied(holds) ? b.denials(holds) : a.denials(holds)
        case .or(let a, let b): return a.denials(holds) + b.denials(holds)
        case .given(let a, let condition, let otherwise):
            if condition.isSatisfied(holds) { return condition.supports(holds) + a.denials(holds) }
            return condition.denials(holds) + (otherwise?.denials(holds) ?? [])
        case .unless(let a, let condition, let otherwise):
            if !a.isSatisfied(holds), otherwise == nil { return a.denials(holds) }
            if !condition.isSatisfied(holds) { return condition.denials(holds) + a.denials(holds) }
            return condition.supports(holds) + (otherwise?.denials(holds) ?? [])
        }
    }

    /// All leaves, including the leaves of conditions.
    var leaves: [Id] {
        switch self {
        case .leaf(let id): [id]
        case .and(let a, let b), .or(let a, let b): a.leaves + b.leaves
        case .given(let a, let condition, let otherwise), .unless(let a, let condition, let otherwise):
            a.leaves + condition.leaves + (otherwise?.leaves ?? [])
        }
    }

    /// The leaves that can help to satisfy the formula: all leaves except those of conditions.
    var positiveLeaves: [Id] {
        switch self {
        case .leaf(let id): [id]
        case .and(let a, let b), .or(let a, let b): a.positiveLeaves + b.positiveLeaves
        case .given(let a, _, let otherwise), .unless(let a, _, let otherwise): a.positiveLeaves + (otherwise?.positiveLeaves ?? [])
        }
    }
}

extension PackagePool {
    func relation(_ id: Id) -> Reldep { pool.pointee.rels[Int(id & Id.max)] }

    /// Whether libsolv has to expand the dependency into rules. The providers of all other dependencies can
    /// be looked up.
    func isFormula(_ id: Id) -> Bool {
        guard id < 0 else { return false }
        let relation = relation(id)
        switch relation.flags {
        case REL_AND, REL_COND, REL_UNLESS: return true
        case REL_OR: return isFormula(relation.name) || isFormula(relation.evr)
        default: return false
        }
    }
}
