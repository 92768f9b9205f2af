import CSolv
import Modules

/// A solver that finds builds of modules that can be active together on a machine. It owns a small
/// libsolv pool of builds.
///
/// Each build is a solvable, as in libdnf. It provides its module and its stream, conflicts with every
/// other build of its module, and has the requirements of its document. A solver is confined to one
/// thread at a time.
final class ModuleSolver {
    /// All existing builds. The solver knows only the builds at the indices ``members``.
    private let builds: [ModularBuild]
    private let members: [Int]
    private let pool: UnsafeMutablePointer<Pool>
    private let limit: ResolutionLimit
    private var solvables: [Int: Id] = [:]
    /// The builds that solvables stand for. A solvable is the build itself, or one alternative of the
    /// build's requirements.
    private var meanings: [Id: Int] = [:]
    /// The dependencies of each solvable as readable texts.
    private var texts: [Id: [Id: String]] = [:]

    /// The builds that can be active together, or the reasons why the request is impossible.
    enum Answer {
        case active(Set<Int>)
        case impossible([ModuleProblem.Statement])
    }

    /// - Parameter members: The indices in `builds` of the builds that the solver may choose.
    init(_ builds: [ModularBuild], members: [Int], limit: ResolutionLimit) {
        self.builds = builds
        self.members = members
        self.limit = limit
        pool = pool_create()
        _ = pool_setdisttype(pool, DISTTYPE_RPM)
        pool_setdebugmask(pool, 0)
        let repository = repo_create(pool, "modules")!
        for member in members { add(member, to: repository) }
        for member in members { addRequirements(of: member, to: repository) }
        pool_createwhatprovides(pool)
    }

    deinit {
        pool_free(pool)
    }

    private func add(_ member: Int, to repository: UnsafeMutablePointer<Repo>) {
        let build = builds[member]
        let solvable = repo_add_solvable(repository)
        let module = id("module(\(build.id.name))")
        pool.pointee.solvables[Int(solvable)].name = id(build.lineage)
        pool.pointee.solvables[Int(solvable)].evr = id("\(build.id.version)")
        pool.pointee.solvables[Int(solvable)].arch = Id(ARCH_NOARCH.rawValue)
        for provided in [module, id("module(\(build.id.nameAndStream))")] {
            pool.pointee.solvables[Int(solvable)].provides = repo_addid_dep(
                repository, pool.pointee.solvables[Int(solvable)].provides, provided, 0)
        }
        // libsolv does not interpret this as a conflict of the solvable with itself.
        pool.pointee.solvables[Int(solvable)].conflicts = repo_addid_dep(repository, 0, module, 0)
        solvables[member] = solvable
        meanings[solvable] = member
    }

    private func addRequirements(of member: Int, to repository: UnsafeMutablePointer<Repo>) {
        let requirements = builds[member].requirements
        guard requirements.count > 1 else {
            for requirement in requirements.first ?? [] { require(requirement, by: solvables[member]!, in: repository) }
            return
        }
        // Each alternative is a solvable of its own. If the alternatives were expanded, they could become any
        // number of rules.
        let either = id("alternative(\(builds[member].id))")
        let text = requirements.map { $0.map(\.description).joined(separator: " and ") }.joined(separator: ", or ")
        require(either, text, by: solvables[member]!, in: repository)
        for (number, alternative) in requirements.enumerated() {
            let solvable = repo_add_solvable(repository)
            pool.pointee.solvables[Int(solvable)].name = id("alternative(\(builds[member].id):\(number))")
            pool.pointee.solvables[Int(solvable)].evr = id("1")
            pool.pointee.solvables[Int(solvable)].arch = Id(ARCH_NOARCH.rawValue)
            pool.pointee.solvables[Int(solvable)].provides = repo_addid_dep(repository, 0, either, 0)
            meanings[solvable] = member
            for requirement in alternative { require(requirement, by: solvable, in: repository) }
        }
    }

    private func require(_ requirement: StreamRequirement, by solvable: Id, in repository: UnsafeMutablePointer<Repo>) {
        let text = requirement.description
        for stream in requirement.excluded.sorted() {
            let conflict = id("module(\(requirement.module):\(stream))")
            texts[solvable, default: [:]][conflict] = text
            pool.pointee.solvables[Int(solvable)].conflicts = repo_addid_dep(
                repository, pool.pointee.solvables[Int(solvable)].conflicts, conflict, 0)
        }
        let streams = requirement.streams.filter(requirement.accepts).sorted().map { id("module(\(requirement.module):\($0))") }
        let dependency = streams.dropFirst().reduce(streams.first ?? id("module(\(requirement.module))")) {
            pool_rel2id(pool, $0, $1, Id(REL_OR), 1)
        }
        require(dependency, text, by: solvable, in: repository)
    }

    private func require(_ dependency: Id, _ text: String, by solvable: Id, in repository: UnsafeMutablePointer<Repo>) {
        texts[solvable, default: [:]][dependency] = text
        pool.pointee.solvables[Int(solvable)].requires = repo_addid_dep(
            repository, pool.pointee.solvables[Int(solvable)].requires, dependency, 0)
    }

    private func id(_ text: String) -> Id { pool_str2id(pool, text, 1) }

    // MARK: Solving

    /// Finds builds that can be active together. The newest versions are chosen, unless only other versions
    /// are possible.
    ///
    /// The answer has one build of each list in `needed`, and as far as possible one build of each list in
    /// `wanted`. If lists of `wanted` contradict each other, the last of them gives way. The answer also
    /// has the builds that these builds require.
    ///
    /// - Parameters:
    ///   - needed: Lists of builds. One build of each list must be active.
    ///   - wanted: Lists of builds. One build of each list is active if possible.
    ///   - favored: Builds that are preferred if a requirement leaves a choice.
    ///   - disfavored: Builds that are chosen for a requirement only if no other build is possible.
    func solve(needed: [[Int]], wanted: [[Int]] = [], favored: [Int] = [], disfavored: [Int] = []) throws(DepsolveError) -> Answer {
        let newest = try attempt(needed, wanted, favored, disfavored, flags: SOLVER_FORCEBEST)
        guard case .impossible = newest else { return newest }
        return try attempt(needed, wanted, favored, disfavored, flags: 0)
    }

    private func attempt(_ needed: [[Int]], _ wanted: [[Int]], _ favored: [Int], _ disfavored: [Int], flags: Int32) throws(DepsolveError)
        -> Answer
    {
        let jobs = IdQueue()
        for (choices, weakness) in needed.map({ ($0, 0) }) + wanted.map({ ($0, SOLVER_WEAK) }) {
            let queue = IdQueue()
            for choice in choices { queue.push(solvables[choice]!) }
            jobs.push(SOLVER_INSTALL | SOLVER_SOLVABLE_ONE_OF | weakness | flags, pool_queuetowhatprovides(pool, queue.pointer))
        }
        for member in favored { if let solvable = solvables[member] { jobs.push(SOLVER_FAVOR | SOLVER_SOLVABLE, solvable) } }
        for member in disfavored { if let solvable = solvables[member] { jobs.push(SOLVER_DISFAVOR | SOLVER_SOLVABLE, solvable) } }
        let solver = solver_create(pool)!
        defer { solver_free(solver) }
        for flag in [SOLVER_FLAG_IGNORE_RECOMMENDED, SOLVER_FLAG_BEST_OBEY_POLICY, SOLVER_FLAG_YUM_OBSOLETES, SOLVER_FLAG_URPM_REORDER] {
            solver_set_flag(solver, flag, 1)
        }
        guard try limit.solve(solver, jobs) else { return .impossible(problem(of: solver)) }
        return .active(Set(members.filter { solver_get_decisionlevel(solver, solvables[$0]!) > 0 }))
    }

    private func problem(of solver: UnsafeMutablePointer<Solver>) -> [ModuleProblem.Statement] {
        var statements: [ModuleProblem.Statement] = []
        var known: Set<String> = []
        for rule in ProblemRule.all(of: solver) {
            if let statement = statement(rule), known.insert(statement.description).inserted { statements.append(statement) }
        }
        // Requirements come before the conflicts that prevent them.
        func isConflict(_ statement: ModuleProblem.Statement) -> Bool { if case .conflicts = statement { true } else { false } }
        return statements.filter { !isConflict($0) } + statements.filter(isConflict)
    }

    private func statement(_ rule: ProblemRule) -> ModuleProblem.Statement? {
        guard let source = meanings[rule.source].map({ builds[$0].id }) else { return nil }
        let text = texts[rule.source]?[rule.dependency] ?? ""
        return switch rule.type {
        case SOLVER_RULE_PKG_REQUIRES: .requires(source, text)
        case SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP: .nothingProvides(source, text)
        case SOLVER_RULE_PKG_CONFLICTS where !text.isEmpty: .requires(source, text)
        case SOLVER_RULE_PKG_CONFLICTS, SOLVER_RULE_PKG_SAME_NAME:
            meanings[rule.target].map { .conflicts(min(source, builds[$0].id), max(source, builds[$0].id)) }
        default: nil
        }
    }
}
