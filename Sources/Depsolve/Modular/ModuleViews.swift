import Modules

/// Which builds of modules are active on machines of one architecture: as they come, or where one build is enabled.
struct ModuleViews {
    /// The builds that one machine sees.
    struct View {
        /// Those that were solved for.
        let chosen: Set<Int>
        /// These, and those for which they stand: other versions of theirs.
        let active: Set<Int>
        /// What the view was made for, with what it requires.
        var core: Set<Int> = []
    }

    /// What is to be active if it can be.
    private struct Wish {
        let module: String
        /// As it was asked for, or `NAME:STREAM` of a default.
        let text: String
        /// Each of these would do; none where there is none for the architecture.
        let builds: [Int]
    }

    /// Each build once, in the order in which libsolv has them.
    let builds: [ModularBuild]
    /// What a machine sees as it comes: default streams, as far as they can be active, and in place of their modules' defaults those that were enabled.
    let asItComes: View
    /// What is not as the defaults, and those who enabled streams, would have it.
    let problems: [ModuleProblem]

    private let defaultStreams: [String: String]
    /// In the order of their builds, as libdnf has them.
    private let defaults: [Wish]
    private let enabled: [Wish]
    private let included: Set<Int>
    private let arch: String

    private let solver: ModuleSolver
    /// Without builds of the included streams other than the included ones.
    private let solverForIncluded: ModuleSolver
    private let solverOfIncluded: ModuleSolver
    /// `NAME:STREAM`
    private let includedStreams: Set<String>

    /// Throws `.modulesConflict` where the streams that were enabled cannot be.
    init(_ content: ModularContent, architecture: TreeArchitecture, defaults: [ModuleDefaults], limit: ResolutionLimit)
        throws(DepsolveError)
    {
        let modules = ArchitectureModules(content, architecture: architecture, defaults: defaults)
        let builds = modules.builds
        let included = Set(builds.indices.filter { content.included.contains(builds[$0].id) })
        let streams = Set(included.map { builds[$0].id.nameAndStream })
        let byStream = Dictionary(grouping: builds.indices) { builds[$0].id.nameAndStream }
        self.builds = builds
        self.included = included
        includedStreams = streams
        arch = architecture.name
        defaultStreams = modules.defaults
        let defaults = modules.defaults.compactMap { module, stream in
            byStream["\(module):\(stream)"].map { Wish(module: module, text: "\(module):\(stream)", builds: $0) }
        }.sorted { $0.builds[0] < $1.builds[0] }
        let enabled = content.enabled.map { reference in
            Wish(
                module: reference.name, text: reference.description,
                builds: byStream["\(reference.name):\(reference.stream)", default: []].filter { reference.includes(builds[$0].id) })
        }
        (self.defaults, self.enabled) = (defaults, enabled)
        solver = ModuleSolver(builds, members: Array(builds.indices), limit: limit)
        solverForIncluded = ModuleSolver(
            builds, members: builds.indices.filter { included.contains($0) || !streams.contains(builds[$0].id.nameAndStream) },
            limit: limit)
        solverOfIncluded = ModuleSolver(builds, members: included.sorted(), limit: limit)
        let (chosen, dropped) = try Self.usual(enabled, defaults, solver, arch: architecture.name)
        asItComes = View(chosen: chosen, active: Self.withRelatives(chosen, among: builds))
        problems =
            enabled.filter(\.builds.isEmpty).map {
                ModuleProblem(kind: .otherArchitecture, module: $0.text, arch: architecture.name, statements: [])
            } + dropped
    }

    // MARK: As machines come

    /// The builds that are active if nothing else is wanted, and the defaults that are not.
    private static func usual(
        _ enabled: [Wish], _ defaults: [Wish], _ solver: ModuleSolver, arch: String
    ) throws(DepsolveError) -> (Set<Int>, dropped: [ModuleProblem]) {
        let needed = enabled.filter { !$0.builds.isEmpty }
        let wanted = defaults.filter { wish in !needed.contains { $0.module == wish.module } }
        switch try solver.solve(needed: needed.map(\.builds), wanted: wanted.map(\.builds)) {
        case .impossible(let statements): throw .modulesConflict(statements, arch: arch)
        case .active(let chosen):
            let held = (needed + wanted).map(\.builds).filter { !chosen.isDisjoint(with: $0) }
            let dropped = try wanted.filter { chosen.isDisjoint(with: $0.builds) }.map { wish throws(DepsolveError) in
                // Defaults give way one after the other, which may leave out one that would go in the end: then there is nothing to say.
                var reasons: [ModuleProblem.Statement] = []
                if case .impossible(let statements) = try solver.solve(needed: held + [wish.builds]) { reasons = statements }
                return ModuleProblem(kind: .droppedDefault, module: wish.text, arch: arch, statements: reasons)
            }
            return (chosen, dropped)
        }
    }

    /// Whether a build is of the default stream of its module, and that stream is used because it is.
    func isDefault(_ build: NSVC) -> Bool {
        defaultStreams[build.name] == build.stream && !enabled.contains { $0.module == build.name && !$0.builds.isEmpty }
    }

    // MARK: Around one build

    /// The build enabled, with what it requires: included builds where they will do, else what would be there anyway, else any. Besides them
    /// what would be there anyway, as far as it goes together.
    ///
    /// A build that cannot be enabled is active all the same, and a problem.
    func around(_ build: Int) throws(DepsolveError) -> (view: View, problem: ModuleProblem?) {
        let isIncluded = included.contains(build)
        let solver = isIncluded ? solverForIncluded : solver
        let (core, statements) = try core(of: build, solver)
        let settled = Set(core.map { builds[$0].id.name })
        let wanted = (enabled + defaults).filter { !settled.contains($0.module) }
            .map { isIncluded ? $0.builds.filter(isSeenWithIncluded) : $0.builds }.filter { !$0.isEmpty }
        var chosen = core
        // A build that cannot be enabled takes the place of other streams nevertheless.
        let needed = statements == nil ? core.sorted().map { [$0] } : []
        if case .active(let together) = try solver.solve(needed: needed, wanted: wanted) {
            chosen.formUnion(together.filter { !settled.contains(builds[$0].id.name) })
        }
        let relatives = Self.withRelatives(chosen.subtracting([build]), among: builds)
        let active = (isIncluded ? relatives.filter(isSeenWithIncluded) : relatives).union([build])
        return (
            View(chosen: chosen, active: active, core: core),
            statements.map { ModuleProblem(kind: .unmetRequirements, module: builds[build].id.description, arch: arch, statements: $0) }
        )
    }

    /// A stream that the result has is seen in the result alone: in the included builds.
    private func isSeenWithIncluded(_ build: Int) -> Bool {
        included.contains(build) || !includedStreams.contains(builds[build].id.nameAndStream)
    }

    /// The build with what it requires, or alone with what is in the way.
    private func core(of build: Int, _ solver: ModuleSolver) throws(DepsolveError) -> (Set<Int>, [ModuleProblem.Statement]?) {
        if included.contains(build), case .active(let core) = try solverOfIncluded.solve(needed: [[build]]) { return (core, nil) }
        let unusual = builds.indices.filter { !included.contains($0) && !asItComes.chosen.contains($0) }
        switch try solver.solve(needed: [[build]], favored: included.sorted(), disfavored: unusual) {
        case .active(let core): return (core, nil)
        case .impossible(let statements): return ([build], statements)
        }
    }

    /// With the builds of the same lineages, of which a machine sees the packages as well.
    private static func withRelatives(_ chosen: Set<Int>, among builds: [ModularBuild]) -> Set<Int> {
        let lineages = Set(chosen.map { builds[$0].lineage })
        return chosen.union(builds.indices.filter { lineages.contains(builds[$0].lineage) })
    }

    /// Of `chosen`, the build and what it requires, to the end.
    func required(by build: Int, among chosen: Set<Int>) -> Set<Int> {
        var found: Set<Int> = [build]
        var pending = [build]
        let byModule = Dictionary(chosen.map { (builds[$0].id.name, $0) }) { first, _ in first }
        func fulfils(_ requirement: StreamRequirement) -> Int? {
            byModule[requirement.module].flatMap { requirement.accepts(builds[$0].id.stream) ? $0 : nil }
        }
        while let next = pending.popLast() {
            let alternative = builds[next].requirements.first { $0.allSatisfy { fulfils($0) != nil } }
            for other in (alternative ?? []).compactMap(fulfils) where found.insert(other).inserted { pending.append(other) }
        }
        return found
    }
}
