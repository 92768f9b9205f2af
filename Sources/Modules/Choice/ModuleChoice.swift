public import ComposeModel

/// The modules of a compose: those that were asked for, and, to the end, those that they depend on.
///
/// A compose may have several streams of one module, for different machines to take one each, but one version of a stream only. Where a module is
/// content with any of several streams that are named, all of them that exist are taken, so that each can be installed; where any stream will do
/// and none is in yet, the one that was built last.
public struct ModuleChoice: Sendable {
    /// A build with why it is in.
    public struct Chosen: Hashable, Sendable {
        public let build: ModuleBuild
        /// From what was asked for to this one: `["nodejs:20", "python:3.12"]`.
        public let chain: [String]
    }

    /// By id.
    public private(set) var modules: [Chosen] = []

    /// How modules are chosen.
    public struct Rules: Sendable {
        /// Without what they depend on.
        public var noDependencies = false
        public var filter = ModuleBuildFilter()
        /// What every machine has and no compose contains.
        public var baseModules: Set<String> = ["platform"]

        public init() {}
    }

    private var versions: [String: (version: UInt64, chain: [String])] = [:]
    private var contexts: Set<NSVC> = []

    /// Chooses from `catalog`.
    ///
    /// Throws `.packageNotFound` for a module that is not there, with who asked for it and the names that come near, and `.brokenDependencies` for two
    /// versions of one stream, with who asked for each.
    public init(of requested: [ModuleReference], from catalog: some ModuleCatalog, rules: Rules = Rules()) async throws {
        var pending: [Chosen] = []
        for reference in requested {
            let chain = [reference.description]
            let found = try await Self.builds(of: reference, from: catalog, filter: rules.filter)
            guard !found.isEmpty else { throw try await Self.absent(reference, in: catalog, rules: rules) }
            pending += try take(found, chain: chain)
        }
        while !rules.noDependencies, let next = pending.popLast() {
            for requirement in next.build.stream.requirements.joined() where !rules.baseModules.contains(requirement.module) {
                pending += try await takeRequired(requirement, by: next, from: catalog, rules: rules)
            }
        }
        modules.sort { $0.build.id < $1.build.id }
    }

    private mutating func takeRequired(
        _ requirement: StreamRequirement, by asking: Chosen, from catalog: some ModuleCatalog, rules: Rules
    ) async throws -> [Chosen] {
        let filter = Self.filter(forRequirementsOf: asking.build, rules: rules)
        var streams = requirement.streams.filter(requirement.accepts).sorted()
        if requirement.streams.isEmpty {
            if modules.contains(where: { $0.build.id.name == requirement.module && requirement.accepts($0.build.id.stream) }) { return [] }
            streams = try await catalog.streams(of: requirement.module, filter: filter).filter(requirement.accepts)
        }
        // What is in already holds, whichever version was asked for.
        let missing = streams.filter { versions["\(requirement.module):\($0)"] == nil }
        var found: [[ModuleBuild]] = []
        for stream in missing {
            let reference = ModuleReference(name: requirement.module, stream: stream)
            found.append(try await Self.builds(of: reference, from: catalog, filter: filter))
        }
        found.removeAll(where: \.isEmpty)
        if found.isEmpty, missing.count == streams.count {
            throw try await Self.absent(requirement, by: asking, in: catalog, rules: rules)
        }
        if requirement.streams.isEmpty { found = found.max { $0[0].id.version < $1[0].id.version }.map { [$0] } ?? [] }
        return try found.flatMap { try take($0, chain: asking.chain + [$0[0].id.nameAndStream]) }
    }

    /// Takes builds of one version of a stream; gives those that are new.
    private mutating func take(_ builds: [ModuleBuild], chain: [String]) throws(ComposeFailure) -> [Chosen] {
        var new: [Chosen] = []
        for build in builds {
            let stream = build.id.nameAndStream
            if let other = versions[stream], other.version != build.id.version {
                throw ComposeFailure(
                    .brokenDependencies,
                    "The module \(stream) is wanted in two versions: \(other.version) by \(Self.text(other.chain)), and \(build.id.version) by "
                        + "\(Self.text(chain)). A compose has one version of a stream; ask for one of them, or make two composes.")
            }
            versions[stream] = versions[stream] ?? (build.id.version, chain)
            guard contexts.insert(build.id).inserted else { continue }
            new.append(Chosen(build: build, chain: chain))
        }
        modules += new
        return new
    }

    // MARK: Looking up

    private static func builds(
        of reference: ModuleReference, from catalog: some ModuleCatalog, filter: ModuleBuildFilter
    ) async throws -> [ModuleBuild] {
        let found = reference.choice(of: try await catalog.builds(of: reference, filter: filter), id: \.id)
        return found.sorted { $0.id < $1.id }
    }

    /// What a module needs must have been built for the same generation of the base, or an earlier one of the same major version.
    private static func filter(forRequirementsOf build: ModuleBuild, rules: Rules) -> ModuleBuildFilter {
        guard let base = build.bases.first(where: { rules.baseModules.contains($0.name) }), let version = base.streamVersion else {
            return rules.filter
        }
        var filter = ModuleBuildFilter()
        filter.includesDone = rules.filter.includesDone
        filter.baseStreamVersionAtMost = version
        let digits = base.stream.drop { !$0.isASCII || !$0.isNumber }.prefix { $0.isASCII && $0.isNumber }
        let length = String(Int(version)).count
        if let major = Double(digits), digits.count <= length {
            filter.baseStreamVersionAtLeast = (0..<(length - digits.count)).reduce(major) { number, _ in number * 10 }
        }
        return filter
    }

    // MARK: What is wrong

    private static func absent(
        _ reference: ModuleReference, in catalog: some ModuleCatalog, rules: Rules
    ) async throws -> ComposeFailure {
        let streams = try await catalog.streams(of: reference.name, filter: rules.filter)
        let nearest: [String]
        let known: String
        if streams.isEmpty {
            nearest = Array(NearestNames(names: try await catalog.modules()).sorted(by: reference.name).prefix(3))
            known = nearest.isEmpty ? "" : " The nearest names are \(nearest.joined(separator: ", "))."
        } else if streams.contains(reference.stream) {
            let builds = try await catalog.builds(of: ModuleReference(name: reference.name, stream: reference.stream), filter: rules.filter)
            nearest = builds.map(\.id).sorted().reversed().prefix(3).map(\.description)
            known = " There is \(nearest.joined(separator: ", "))."
        } else {
            nearest = NearestNames(names: streams).sorted(by: reference.stream).prefix(5).map { "\(reference.name):\($0)" }
            known = " There is \(nearest.joined(separator: ", "))."
        }
        return ComposeFailure(
            .packageNotFound, "There is no module \(reference).\(known)",
            details: [.init(package: reference.description, nearest: nearest)])
    }

    private static func absent(
        _ requirement: StreamRequirement, by asking: Chosen, in catalog: some ModuleCatalog, rules: Rules
    ) async throws -> ComposeFailure {
        let streams = try await catalog.streams(of: requirement.module, filter: rules.filter)
        let known = streams.isEmpty ? "no build of that module at all" : "only \(streams.joined(separator: ", "))"
        return ComposeFailure(
            .brokenDependencies,
            "The module \(asking.build.id) depends on \(requirement), of which there is \(known). It is in by \(text(asking.chain)). "
                + "The flag no_deps leaves out what modules depend on.",
            details: [
                .init(
                    package: asking.build.id.description, requirement: requirement.description, text: asking.chain.joined(separator: " → "))
            ])
    }

    /// `nodejs:20, which needs python:3.12`.
    private static func text(_ chain: [String]) -> String {
        chain.count == 1 ? "the request" : "the request for " + chain.joined(separator: ", which needs ")
    }
}
