import CSolv
import Modules
import Repodata

/// A resolver of one tree in which some packages belong to modules.
///
/// Packages that are requested by name are searched on a machine with the usual streams. These are the
/// default streams, with enabled streams in place of the defaults of their modules. The packages of
/// each included build are resolved on a machine that has this build enabled. The tree has the packages
/// of all these machines.
struct ModularTreeResolver {
    private let pool: PackagePool
    private let request: DepsolveRequest
    private let isAlone: Bool
    private let included: Set<NSVC>
    private let views: ModuleViews
    private let packages: ModularPackages

    private(set) var tree: TreeResolver
    /// The builds that packages of the tree belong to, and the builds that these require.
    private(set) var modules: Set<NSVC> = []
    private(set) var problems: [ModuleProblem] = []

    private var builds: [ModularBuild] { views.builds }
    /// Whether all packages of all streams are requested.
    private var isEverything: Bool { request.packages.isEmpty && !isAlone }

    init(_ pool: PackagePool, _ request: DepsolveRequest, _ content: CheckedModules, hasMultilib: Bool) throws(DepsolveError) {
        self.pool = pool
        self.request = request
        isAlone = content.content.isAlone
        included = content.included
        views = try ModuleViews(content.content, architecture: pool.key.architecture, defaults: content.defaults, limit: pool.limit)
        packages = ModularPackages(of: views.builds, in: pool)
        tree = TreeResolver(pool, request, hasMultilib: hasMultilib)
        everHidden = pool.emptySet()
    }

    /// Fills the tree.
    ///
    /// - Parameter note: Receives the index of each pattern, its meaning, and the packages that it would
    ///   also mean if modules did not hide them.
    mutating func resolve(
        _ patterns: [PackagePattern], _ note: (Int, PackageSelection.Match, [HiddenPackage]) -> Void
    ) throws(DepsolveError) {
        if !request.packages.isEmpty || isEverything { problems += views.problems }
        if isEverything {
            try takeEverything()
        } else if !request.packages.isEmpty {
            try take(patterns, in: views.asItComes, note)
        }
        for build in builds.indices where included.contains(builds[build].id) {
            try pool.limit.check()
            try take(build)
        }
        if !isEverything {
            try show(views.asItComes, isSolving: false) { copy throws(DepsolveError) in try copy.tree.dropTwins() }
        }
        // Packages that were solved for need no further check.
        if isEverything, request.checkInstallability || !request.noDeps {
            try inspect(tree.reasons.keys.filter { packages.builds(of: $0).isEmpty }, in: views.asItComes)
            for build in builds.indices where packages.packages(of: build).contains(where: { tree.reasons[$0] != nil }) {
                let (view, problem) = try views.around(build)
                if let problem, !request.noDeps, !problems.contains(problem) { problems.append(problem) }
                try inspect(packages.packages(of: build), in: view)
            }
        } else if request.checkInstallability || isAlone && !request.noDeps && !request.lookaside.isEmpty {
            // Modules alone always lack packages that every machine has. If there is a lookaside, it is expected
            // to have these packages.
            if !request.packages.isEmpty, request.noDeps { try inspect(Array(requested), in: views.asItComes) }
            if isAlone || request.noDeps {
                for build in builds.indices where included.contains(builds[build].id) {
                    try inspect(packages.packages(of: build), in: views.around(build).view)
                }
            }
        }
    }

    /// The requested packages and the packages that were added because of them.
    private var requested: Set<Id> = []
    /// All packages that at least one of the examined machines does not see.
    private var everHidden: SolvableSet

    private mutating func show(
        _ view: ModuleViews.View, isSolving: Bool, _ body: (inout Self) throws(DepsolveError) -> Void
    ) throws(DepsolveError) {
        let hidden = packages.hidden(whereActive: view.active)
        everHidden.formUnion(hidden)
        try pool.withHidden(hidden, isSolving: isSolving) { () throws(DepsolveError) in try body(&self) }
    }

    // MARK: Taking

    private mutating func takeEverything() throws(DepsolveError) {
        let (packages, builds) = (packages, builds)
        try tree.takeEverything { package in
            packages.builds(of: package).first { !builds[$0].isLookaside }.map { .module(builds[$0].id.description) } ?? .everything
        }
        for build in builds.indices where packages.packages(of: build).contains(where: { tree.reasons[$0] != nil }) {
            noteModule(build, in: try views.around(build).view.core)
        }
    }

    private mutating func take(
        _ patterns: [PackagePattern], in view: ModuleViews.View, _ note: (Int, PackageSelection.Match, [HiddenPackage]) -> Void
    ) throws(DepsolveError) {
        try show(view, isSolving: false) { copy throws(DepsolveError) in
            let selection = PackageSelection(pool: copy.pool)
            for (index, pattern) in patterns.enumerated() {
                try copy.pool.limit.check()
                let match = selection.match(pattern)
                switch match {
                case .packages, .notMeant: note(index, match, [])
                case .unknown, .otherArchitecture: note(index, match, copy.hidden(pattern, in: view))
                }
            }
        }
        try show(view, isSolving: !request.noDeps) { copy throws(DepsolveError) in
            let selection = PackageSelection(pool: copy.pool)
            copy.requested = try copy.tree.take(patterns.map { selection.match($0) })
            copy.tree.addDebug(of: Array(copy.requested))
        }
        for package in requested {
            let active = packages.builds(of: package).filter { view.active.contains($0) && !builds[$0].isLookaside }
            if let build = active.first(where: view.chosen.contains) ?? active.first { noteModule(build, in: view.chosen) }
        }
    }

    /// Adds an included build to the tree.
    private mutating func take(_ build: Int) throws(DepsolveError) {
        let (view, problem) = try views.around(build)
        if let problem, !request.noDeps || request.checkInstallability { problems.append(problem) }
        noteModule(build, in: view.core)
        // The packages are in the tree already.
        if isEverything { return }
        let isSolving = !request.noDeps && !isAlone
        let id = builds[build].id
        try show(view, isSolving: isSolving) { copy throws(DepsolveError) in
            var seen: Set<NEVRA> = []
            let wanted = copy.packages.packages(of: build).filter {
                !copy.pool.isLookaside($0) && copy.pool.isNative($0) && seen.insert(copy.pool.nevra($0)).inserted
            }
            let members = try copy.tree.take(wanted.map { ($0, .module(id.description)) }, solving: isSolving)
            copy.tree.addDebug(of: Array(members))
            for package in members {
                let owners = copy.packages.builds(of: package).filter { view.active.contains($0) && !copy.builds[$0].isLookaside }
                if owners.contains(build) { continue }
                if let owner = owners.first(where: view.chosen.contains) ?? owners.first { copy.noteModule(owner, in: view.chosen) }
            }
        }
    }

    /// Records a build that the result has, and the builds among `chosen` that it requires.
    private mutating func noteModule(_ build: Int, in chosen: Set<Int>) {
        if isAlone, request.noDeps { return }
        for required in views.required(by: build, among: chosen) where !builds[required].isLookaside { modules.insert(builds[required].id) }
    }

    private mutating func inspect(_ candidates: [Id], in view: ModuleViews.View) throws(DepsolveError) {
        try pool.limit.check()
        let hidden = packages.hidden(whereActive: view.active)
        let checked = candidates.filter { tree.reasons[$0] != nil && !hidden.contains($0) }
        if checked.isEmpty { return }
        everHidden.formUnion(hidden)
        try pool.withHidden(hidden, isSolving: false) { () throws(DepsolveError) in try tree.inspect(checked) }
    }

    // MARK: What is hidden

    /// Returns the requirements of packages of the tree that nothing provides on the machines on which the
    /// packages were examined.
    func missing() throws(DepsolveError) -> [MissingRequirement] {
        try tree.missing { package in
            let streams = Set(packages.builds(of: package).map { builds[$0].id.nameAndStream }).sorted()
            if !streams.isEmpty { return " of the module \(streams.joined(separator: ", "))" }
            return everHidden.contains(package) ? ", which modules hide," : nil
        }
    }

    /// Returns the packages that `pattern` would mean if modules did not hide them, at most three. Call
    /// this function while they are hidden.
    private func hidden(_ pattern: PackagePattern, in view: ModuleViews.View) -> [HiddenPackage] {
        guard case .packages(let found) = PackageSelection(pool: pool, amongHidden: true).match(pattern) else { return [] }
        return found.map(\.id).sorted(by: pool.areInOrder).prefix(NearestNames.limit).map { package in
            // Other versions of the package may be part of other modules. All these modules are reported.
            let isOfModule = !packages.builds(of: package).isEmpty
            let owners =
                isOfModule
                ? pool.index.named(pool.solvable(package).pointee.name).flatMap(packages.builds).filter { !view.active.contains($0) } : []
            let names = Set(owners.map { builds[$0].id.name })
            let hiders = owners.isEmpty ? packages.hiders(of: package, whereActive: view.active) : []
            let inUse = owners.isEmpty ? hiders.map(\.build) : view.chosen.filter { names.contains(builds[$0].id.name) }
            return HiddenPackage(
                package: pool.nevra(package), streams: Set(owners.map { builds[$0].id.nameAndStream }).sorted(),
                inUse: Set(inUse.map { HiddenPackage.Stream(name: builds[$0].id.nameAndStream, isDefault: views.isDefault(builds[$0].id)) })
                    .sorted { $0.name < $1.name },
                names: Set(hiders.flatMap(\.names)).sorted())
        }
    }
}
