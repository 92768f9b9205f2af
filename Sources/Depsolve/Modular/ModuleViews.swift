import Modules

/// The builds of modules that are active on machines of one architecture. There is a view of a machine
/// with the usual streams, and a view of a machine with one build enabled.
struct ModuleViews {
    /// The builds that one machine sees.
    struct View {
        /// The builds that the solver chose.
        let chosen: Set<Int>
        /// The chosen builds, and the builds of the same lineages: their other versions.
        let active: Set<Int>
        /// The build that the view was made for, and the builds that it requires. Empty for ``asItComes``.
        var core: Set<Int> = []
    }

    /// A stream that is to be active if possible: an enabled stream or a default stream.
    private struct Wish {
        let module: String
        /// The stream as the request names it, or `NAME:STREAM` of a default stream.
        let text: String
        /// The builds of the stream. Any one of them is enough. Empty if the architecture has none.
        let builds: [Int]
    }

    /// All builds of the architecture, each once, in the order in which libsolv has them.
    let builds: [ModularBuild]
    /// The view of a machine with the usual streams: the enabled streams, and the default streams of other
    /// modules as far as they can be active.
    let asItComes: View
    /// The enabled streams that the architecture does not have, and the default streams that are not used.
    let problems: [ModuleProblem]

    private let defaultStreams: [String: String]
    /// The default streams in the order of their builds, as libdnf has them.
    private let defaults: [Wish]
    private let enabled: [Wish]
    private let included: Set<Int>
    private let arch: String

    private let solver: ModuleSolver
    /// A solver that knows only the included builds of the included streams, and all builds of other
    /// streams.
    private let solverForIncluded: ModuleSolver
    /// A solver that knows only the included builds.
    private let solverOfIncluded: ModuleSolver
    /// The streams of the included builds, as `NAME:STREAM`.
    private let includedStreams: Set<String>

    /// Throws `.modulesConflict` if the enabled streams cannot be active.
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

    /// Returns the builds that are active if nothing else is requested, and the default streams that are
    /// not active.
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
                // Default streams are dropped one after the other. This may drop a stream that would fit in the end.
                // Then there is no reason to report.
                var reasons: [ModuleProblem.Statement] = []
                if case .impossible(let statements) = try solver.solve(needed: held + [wish.builds]) { reasons = statements }
                return ModuleProblem(kind: .droppedDefault, module: wish.text, arch: arch, statements: reasons)
            }
            return (chosen, dropped)
        }
    }

    /// Whether a build is of the default stream of its module, and the stream is active because it is the
    /// default.
    func isDefault(_ build: NSVC) -> Bool {
        defaultStreams[build.name] == build.stream && !enabled.contains { $0.module == build.name && !$0.builds.isEmpty }
    }

    // MARK: Around one build

    /// Returns the view of a machine with one build enabled.
    ///
    /// The view has the build and the builds that it requires. If a requirement leaves a choice, included
    /// builds are preferred, then the builds of ``asItComes``, then all others. The view also has the usual
    /// streams of other modules, as far as they can be active together with these builds.
    ///
    /// A build that cannot be enabled is active nevertheless, and is returned as a problem.
    func around(_ build: Int) throws(DepsolveError) -> (view: View, problem: ModuleProblem?) {
        let isIncluded = included.contains(build)
        let solver = isIncluded ? solverForIncluded : solver
        let (core, statements) = try core(of: build, solver)
        let settled = Set(core.map { builds[$0].id.name })
        let wanted = (enabled + defaults).filter { !settled.contains($0.module) }
            .map { isIncluded ? $0.builds.filter(isSeenWithIncluded) : $0.builds }.filter { !$0.isEmpty }
        var chosen = core
        // A build that cannot be enabled replaces other streams of its module nevertheless.
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

    /// Whether a machine of the result sees the build. If the result includes a stream, its machines see
    /// only the included builds of the stream.
    private func isSeenWithIncluded(_ build: Int) -> Bool {
        included.contains(build) || !includedStreams.contains(builds[build].id.nameAndStream)
    }

    /// Returns the build and the builds that it requires. If it cannot be enabled, returns the build alone
    /// and the reasons.
    private func core(of build: Int, _ solver: ModuleSolver) throws(DepsolveError) -> (Set<Int>, [ModuleProblem.Statement]?) {
        if included.contains(build), case .active(let core) = try solverOfIncluded.solve(needed: [[build]]) { return (core, nil) }
        let unusual = builds.indices.filter { !included.contains($0) && !asItComes.chosen.contains($0) }
        switch try solver.solve(needed: [[build]], favored: included.sorted(), disfavored: unusual) {
        case .active(let core): return (core, nil)
        case .impossible(let statements): return ([build], statements)
        }
    }

    /// Returns `chosen` and the builds of the same lineages. A machine sees the packages of all these
    /// builds.
    private static func withRelatives(_ chosen: Set<Int>, among builds: [ModularBuild]) -> Set<Int> {
        let lineages = Set(chosen.map { builds[$0].lineage })
        return chosen.union(builds.indices.filter { lineages.contains(builds[$0].lineage) })
    }

    /// Returns the build and all builds of `chosen` that it requires directly or indirectly.
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
