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

    let modules: ArchitectureModules
    private let content: ModularContent
    private let arch: String
    private let solver: ModuleSolver
    /// Without builds of the included streams other than the included ones, and with nothing but these.
    private let solverForIncluded: ModuleSolver
    private let solverOfIncluded: ModuleSolver
    private let included: Set<Int>

    private var builds: [ModularBuild] { modules.builds }

    init(_ content: ModularContent, architecture: TreeArchitecture, defaults: [ModuleDefaults]) {
        self.content = content
        arch = architecture.name
        modules = ArchitectureModules(content, architecture: architecture, defaults: defaults)
        let builds = modules.builds
        let included = Set(builds.indices.filter { content.included.contains(builds[$0].id) })
        let streams = Set(included.map { builds[$0].id.nameAndStream })
        self.included = included
        solver = ModuleSolver(builds, members: Array(builds.indices))
        solverForIncluded = ModuleSolver(
            builds, members: builds.indices.filter { included.contains($0) || !streams.contains(builds[$0].id.nameAndStream) })
        solverOfIncluded = ModuleSolver(builds, members: included.sorted())
    }

    // MARK: As machines come

    /// Default streams, as far as they can be active, and in place of their modules' defaults those that were enabled.
    ///
    /// Throws `.modulesConflict` where those that were enabled cannot be.
    func byDefault() throws(DepsolveError) -> (view: View, problems: [ModuleProblem]) {
        var problems: [ModuleProblem] = []
        var needed: [[Int]] = []
        var chosen: Set<String> = []
        for reference in content.enabled {
            let meant = builds.indices.filter { reference.includes(builds[$0].id) }
            if meant.isEmpty {
                problems.append(ModuleProblem(kind: .otherArchitecture, module: reference.description, arch: arch, statements: []))
            } else {
                needed.append(meant)
                chosen.insert(reference.name)
            }
        }
        let wanted = defaults(except: chosen)
        switch solver.solve(needed: needed, wanted: wanted.map(\.builds)) {
        case .impossible(let statements): throw .modulesConflict(statements, arch: arch)
        case .active(let chosen):
            for (stream, candidates) in wanted where chosen.isDisjoint(with: candidates) {
                let others = chosen.sorted().map { [$0] }
                let reasons =
                    if case .impossible(let statements) = solver.solve(needed: others + [candidates]) { statements } else {
                        [] as [ModuleProblem.Statement]
                    }
                problems.append(ModuleProblem(kind: .droppedDefault, module: stream, arch: arch, statements: reasons))
            }
            return (View(chosen: chosen, active: withRelatives(chosen)), problems)
        }
    }

    /// Whether a build is of the default stream of its module, and that stream is used because it is.
    func isDefault(_ build: NSVC) -> Bool {
        modules.defaults[build.name] == build.stream && !content.enabled.contains { $0.name == build.name }
    }

    /// By module.
    private func defaults(except modules: Set<String>) -> [(stream: String, builds: [Int])] {
        self.modules.defaults.sorted { $0.key < $1.key }.compactMap { module, stream in
            if modules.contains(module) { return nil }
            let candidates = builds.indices.filter { builds[$0].id.name == module && builds[$0].id.stream == stream }
            return candidates.isEmpty ? nil : ("\(module):\(stream)", candidates)
        }
    }

    // MARK: Around one build

    /// The build enabled, with what it requires: included builds where they will do, else what would be there anyway, else any. Besides them
    /// what would be there anyway, as far as it goes together.
    ///
    /// A build that cannot be enabled is active all the same, and a problem.
    func around(_ build: Int) -> (view: View, problem: ModuleProblem?) {
        let isIncluded = included.contains(build)
        let solver = isIncluded ? solverForIncluded : solver
        let (core, statements) = core(of: build, solver)
        let wanted =
            content.enabled.map { reference in builds.indices.filter { reference.includes(builds[$0].id) } }
            + defaults(except: []).map(\.builds)
        let known = isIncluded ? wanted.map { $0.filter(isCandidateForIncluded) } : wanted
        var chosen = core
        if statements == nil,
            case .active(let together) = solver.solve(needed: core.sorted().map { [$0] }, wanted: known.filter { !$0.isEmpty })
        {
            chosen = together
        } else if case .active(let others) = solver.solve(needed: [], wanted: known.filter { !$0.isEmpty }) {
            // It cannot be enabled; other streams of its module give way to it nevertheless.
            chosen.formUnion(others.filter { builds[$0].id.name != builds[build].id.name })
        }
        let active = withRelatives(chosen.subtracting([build]), exceptOf: isIncluded).union([build])
        return (
            View(chosen: chosen, active: active, core: core),
            statements.map { ModuleProblem(kind: .unmetRequirements, module: builds[build].id.description, arch: arch, statements: $0) }
        )
    }

    private func isCandidateForIncluded(_ build: Int) -> Bool {
        included.contains(build) || !included.contains { builds[$0].id.nameAndStream == builds[build].id.nameAndStream }
    }

    /// The build with what it requires, or alone with what is in the way.
    private func core(of build: Int, _ solver: ModuleSolver) -> (Set<Int>, [ModuleProblem.Statement]?) {
        if included.contains(build), case .active(let core) = solverOfIncluded.solve(needed: [[build]]) { return (core, nil) }
        let usual = Set(defaults(except: Set(content.enabled.map(\.name))).flatMap(\.builds))
            .union(builds.indices.filter { index in content.enabled.contains { $0.includes(builds[index].id) } })
        let unusual = builds.indices.filter { !included.contains($0) && !usual.contains($0) }
        switch solver.solve(needed: [[build]], favored: included.sorted(), disfavored: unusual) {
        case .active(let core): return (core, nil)
        case .impossible(let statements): return ([build], statements)
        }
    }

    /// With the builds of the same lineages, of which a machine sees the packages as well.
    ///
    /// - Parameter isOfResult: A stream that the result has is seen in the result alone: in the included builds.
    private func withRelatives(_ chosen: Set<Int>, exceptOf isOfResult: Bool = false) -> Set<Int> {
        let lineages = Set(chosen.map { builds[$0].lineage })
        return chosen.union(builds.indices.filter { lineages.contains(builds[$0].lineage) && (!isOfResult || isCandidateForIncluded($0)) })
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
