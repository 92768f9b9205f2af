import CSolv

/// A libsolv solver that finds packages that can be installed together on an empty machine. It owns the
/// libsolv object.
///
/// The solver keeps the rules that it has made from the dependencies of packages. Make a new solver
/// after the view of the pool or the assumptions of the pool have changed.
final class InstallSolver {
    /// A thing to install.
    enum Job: Hashable {
        /// Exactly this package.
        case package(Id)
        /// Any package that satisfies this dependency.
        case dependency(Id)
    }

    private let pool: PackagePool
    private let solver: UnsafeMutablePointer<Solver>
    private let weakDependencies: WeakDependencies.Loan

    /// Makes a solver for jobs about `packages` and their dependencies.
    ///
    /// Throws `.tooManyExclusions` if too many of these packages exclude each other.
    init(_ pool: PackagePool, for packages: [Id]) throws(DepsolveError) {
        self.pool = pool
        let reach = pool.reach(of: packages)
        try Exclusions.check(reach, in: pool)
        weakDependencies = pool.weakDependencies.loan(for: reach, in: pool)
        solver = solver_create(pool.pool)
        // The flags of dnf that matter if nothing is installed. Weak dependencies are switched off.
        for flag in [
            SOLVER_FLAG_IGNORE_RECOMMENDED, SOLVER_FLAG_BEST_OBEY_POLICY, SOLVER_FLAG_YUM_OBSOLETES, SOLVER_FLAG_URPM_REORDER,
        ] {
            solver_set_flag(solver, flag, 1)
        }
    }

    deinit {
        solver_free(solver)
    }

    /// Installs all of `jobs`. Returns `false` if that is impossible. Then ``problem`` gives the reasons.
    /// Blocks.
    func install(_ jobs: [Job]) throws(DepsolveError) -> Bool { try solve(jobs, flags: 0) }

    /// Installs as many of `jobs` as can be installed together. If jobs contradict each other, the last of
    /// them gives way. Blocks.
    func installWhatFits(_ jobs: [Job]) throws(DepsolveError) { _ = try solve(jobs, flags: SOLVER_WEAK) }

    private func solve(_ jobs: [Job], flags: Int32) throws(DepsolveError) -> Bool {
        let queue = IdQueue()
        for job in jobs {
            switch job {
            case .package(let id): queue.push(SOLVER_INSTALL | SOLVER_SOLVABLE | flags, id)
            case .dependency(let id): queue.push(SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES | flags, id)
            }
        }
        return try weakDependencies.lend(in: pool) { () throws(DepsolveError) in try pool.limit.solve(solver, queue) }
    }

    func isInstalled(_ package: Id) -> Bool { solver_get_decisionlevel(solver, package) > 0 }

    /// The decisions of the last solve, in their order. The id of a package that is not to be installed
    /// is negative.
    var decisions: [Id] {
        let decisions = IdQueue()
        solver_get_decisionqueue(solver, decisions.pointer)
        return decisions.array
    }

    /// The packages that the last solve installed.
    var installed: SolvableSet {
        var set = pool.emptySet()
        for id in decisions where id > SYSTEMSOLVABLE { set.insert(id) }
        return set
    }

    // MARK: Problems

    /// One of the rules that contradict each other.
    struct Rule: Hashable {
        let type: SolverRuleinfo.RawValue
        let source: Id
        let target: Id
        fileprivate(set) var dependency: Id
    }

    /// The rules that cannot all hold and made the last solve fail, without the jobs themselves.
    var problem: [Rule] {
        var rules: [Rule] = []
        var known: Set<Rule> = []
        for rule in ProblemRule.all(of: solver) where rule.type != SOLVER_RULE_JOB {
            var found = Rule(type: rule.type.rawValue, source: rule.source, target: rule.target, dependency: rule.dependency)
            found.dependency = firstDependency(of: found, rule.number)
            if known.insert(found).inserted { rules.append(found) }
        }
        return rules
    }

    /// Returns the dependency that a rule is made from. If several dependencies of the package make the
    /// same rule, the first by its text is returned. libsolv takes the one with the lowest id.
    private func firstDependency(of rule: Rule, _ number: Id) -> Id {
        if rule.dependency == 0 { return 0 }
        let all = IdQueue()
        _ = solver_allruleinfos(solver, number, all.pointer)
        // Each rule has four numbers: its type, source, target and dependency.
        let same = stride(from: 0, to: all.count - 3, by: 4).compactMap { at in
            all[at] == Id(rule.type) && all[at + 1] == rule.source && all[at + 2] == rule.target ? all[at + 3] : nil
        }
        return pool.inOrder(same).first ?? rule.dependency
    }

    /// Returns the rule as data, with libsolv's sentence for it.
    func statement(_ rule: Rule) -> InstallProblem.Statement {
        let kind: InstallProblem.Statement.Kind =
            switch SolverRuleinfo(rawValue: rule.type) {
            case SOLVER_RULE_PKG_REQUIRES: .requires
            case SOLVER_RULE_PKG_CONFLICTS, SOLVER_RULE_PKG_SELF_CONFLICT: .conflicts
            case SOLVER_RULE_PKG_OBSOLETES, SOLVER_RULE_PKG_IMPLICIT_OBSOLETES: .obsoletes
            case SOLVER_RULE_PKG_SAME_NAME: .sameName
            case SOLVER_RULE_INFARCH: .inferiorArchitecture
            case SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP: .nothingProvides
            default: .other
            }
        return InstallProblem.Statement(
            kind: kind,
            package: rule.source > SYSTEMSOLVABLE ? pool.nevra(rule.source) : nil,
            other: rule.target > SYSTEMSOLVABLE ? pool.nevra(rule.target) : nil,
            dependency: rule.dependency == 0 ? nil : pool.text(ofDependency: rule.dependency),
            text: String(
                cString: solver_problemruleinfo2str(
                    solver, SolverRuleinfo(rawValue: rule.type), rule.source, rule.target, rule.dependency)))
    }
}
