import CSolv

/// A dependency seen as a formula: `(a or b)`, `(a if b else c)`, and plain ones, which are its leaves.
///
/// What libsolv treats as a formula is one here: combinations with `and`, `if` or `unless`. It knows the providers of everything else.
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

    /// Whether it holds where `holds` says which leaves do.
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

    /// Whether some choice of packages may make it hold, where `isAvailable` says which leaves can be made to, and `isCertain` which hold
    /// in any case. That it may does not mean that it can: packages may conflict.
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

    /// Whether it holds whatever else is installed, as far as that is seen without trying.
    private func isUnavoidable(_ isCertain: (Id) -> Bool) -> Bool {
        switch self {
        case .leaf(let id): isCertain(id)
        case .and(let a, let b): a.isUnavoidable(isCertain) && b.isUnavoidable(isCertain)
        case .or(let a, let b): a.isUnavoidable(isCertain) || b.isUnavoidable(isCertain)
        case .given(let a, _, let otherwise): a.isUnavoidable(isCertain) && otherwise?.isUnavoidable(isCertain) ?? true
        case .unless(_, let condition, let otherwise): condition.isUnavoidable(isCertain) && otherwise?.isUnavoidable(isCertain) ?? false
        }
    }

    /// Leaves that keep it holding, where `holds` says which do: as long as they hold, packages that fulfil none of them can be left out.
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

    /// Leaves that keep it from holding, where it does not: as long as they hold, packages that fulfil none of them can be left out.
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

    /// All leaves, those of conditions too.
    var leaves: [Id] {
        switch self {
        case .leaf(let id): [id]
        case .and(let a, let b), .or(let a, let b): a.leaves + b.leaves
        case .given(let a, let condition, let otherwise), .unless(let a, let condition, let otherwise):
            a.leaves + condition.leaves + (otherwise?.leaves ?? [])
        }
    }

    /// The leaves that can help to make it hold: all but those of conditions.
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

    /// Whether libsolv has to multiply the dependency out instead of looking up its providers.
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
