import ForeignText
import Modules
import Repodata

/// A resolution builder resolves the trees of a request, one architecture after the other, and collects
/// them and their problems in a ``Resolution``.
struct ResolutionBuilder {
    private let request: DepsolveRequest
    private let architectures: [TreeArchitecture]
    /// The names of the architectures that have multilib.
    private let multilib: Set<String>
    private let patterns: [PackagePattern]
    /// The modules of the request, or `nil` if it has none.
    private let content: CheckedModules?

    private var trees: [ArchitectureTree] = []
    private var sources: [NEVRA: ResolvedPackage] = [:]
    private var missing: [MissingRequirement] = []
    private var problems: [InstallProblem] = []
    private var overruled: [OverruledPackage] = []
    private var unnameable: [UnnameablePackage] = []
    private var unusable: [UnusableEntries] = []
    /// One record for each pattern, in the order of the patterns.
    private var absences: [Absence]
    /// The number of times that a pattern had no match at all.
    private var unknown = 0
    private var modules: Set<NSVC>
    private var moduleProblems: [ModuleProblem] = []

    init(_ request: DepsolveRequest, architectures: [TreeArchitecture], multilib: [TreeArchitecture]) throws(DepsolveError) {
        self.request = request
        self.architectures = architectures
        self.multilib = Set(multilib.map(\.name))
        patterns = request.packages.reduce(into: []) { patterns, text in
            if !patterns.contains(where: { $0.text == text }) { patterns.append(PackagePattern(text)) }
        }
        content = if let modules = request.modules { try CheckedModules(modules) } else { nil }
        absences = patterns.map { Absence($0) }
        modules = content?.included ?? []
    }

    /// The resolution of all trees that were added.
    var resolution: Resolution {
        Resolution(
            trees: trees,
            sources: sources.values.sorted { $0.record.nevra < $1.record.nevra },
            absent: absences.compactMap { $0.report(architectures.map(\.name)) },
            missing: missing,
            problems: problems,
            overruled: overruled,
            unnameable: unnameable,
            unusable: unusable,
            modules: modules.sorted(),
            moduleProblems: moduleProblems)
    }

    /// Resolves the tree of the architecture of `pool`, and adds it.
    mutating func addTree(from pool: PackagePool) throws(DepsolveError) {
        // The pools of all architectures have left out the same packages and entries.
        if trees.isEmpty {
            unnameable = pool.unnameable.map { UnnameablePackage($0.package, of: $0.repository) }
            unusable = pool.unusable
        }
        guard !request.listings.isEmpty else { return try resolveTree(from: pool) }
        let listed = try ListedPackages(request.listings, in: pool)
        overruled += listed.overruled
        try pool.withListed(listed.packages) { () throws(DepsolveError) in try resolveTree(from: pool) }
    }

    private mutating func resolveTree(from pool: PackagePool) throws(DepsolveError) {
        let hasMultilib = multilib.contains(pool.key.architecture.name)
        if let content {
            var modular = try ModularTreeResolver(pool, request, content, hasMultilib: hasMultilib)
            try modular.resolve(patterns) { index, match, hidden in note(index, match, hidden, in: pool) }
            moduleProblems += modular.problems
            add(modular.tree, lacking: try modular.missing(), modules: content.included.union(modular.modules))
        } else {
            let selection = PackageSelection(pool: pool)
            var matches: [PackageSelection.Match] = []
            for (index, pattern) in patterns.enumerated() {
                try pool.limit.check()
                matches.append(selection.match(pattern))
                note(index, matches[index], in: pool)
            }
            var plain = TreeResolver(pool, request, hasMultilib: hasMultilib)
            try plain.resolve(matches)
            add(plain, lacking: try plain.missing(), modules: [])
        }
    }

    private mutating func note(_ index: Int, _ match: PackageSelection.Match, _ hidden: [HiddenPackage] = [], in pool: PackagePool) {
        if case .unknown = match { unknown += 1 }
        absences[index].note(match, in: pool, hidden: hidden, isNearestWanted: unknown <= Absence.mostWithNearest)
    }

    private mutating func add(_ resolver: TreeResolver, lacking: [MissingRequirement], modules inTree: Set<NSVC>) {
        let tree = resolver.tree
        trees.append(ArchitectureTree(arch: tree.arch, binaries: tree.binaries, debug: tree.debug, modules: inTree.sorted()))
        missing += lacking.sorted {
            $0.package != $1.package ? $0.package < $1.package : $0.requirement.precedesInBytes($1.requirement)
        }
        problems += resolver.problems.sorted { $0.package < $1.package }
        overruled += resolver.overruled
        sources.merge(resolver.sources.map { ($0.record.nevra, $0) }) { first, _ in first }
        modules.formUnion(inTree)
    }
}
