import Modules
import Repodata

/// A build of a module as machines of one architecture see it.
struct ModularBuild {
    let id: NSVC
    /// Alternatives, without what is required of base modules; empty: nothing is required.
    let requirements: [[StreamRequirement]]
    /// Its packages.
    let packages: Set<NEVRA>
    /// Packages that were built for it and are none of its packages.
    let filtered: Set<NEVRA>
    let demodularized: Set<String>
    /// Whether only a lookaside has it.
    let isLookaside: Bool
    let hasStaticContext: Bool
    /// The same for builds of a stream that stand for each other, as the next version does for the one before: of them a machine sees all
    /// packages, and the newest one's requirements. As dnf has it: builds in one static context, or, since other contexts are made up anew for each
    /// version, builds with equal requirements. It is libdnf's text, too, since libsolv chooses by it where nothing else decides.
    let lineage: String
}

/// The modules that there are for machines of one architecture.
struct ArchitectureModules {
    /// Each build once.
    let builds: [ModularBuild]
    /// The stream that is taken where nobody chooses, by module.
    let defaults: [String: String]

    /// - Parameter defaults: of all repositories and lookasides.
    init(_ content: ModularContent, architecture: TreeArchitecture, defaults: [ModuleDefaults]) {
        var streams: [NSVC: [(stream: ModuleStream, isLookaside: Bool)]] = [:]
        for (metadata, isLookaside) in [(content.metadata, false), (content.lookaside, true)] {
            for stream in metadata.streams where stream.isSeen(by: architecture) {
                streams[stream.id, default: []].append((stream, isLookaside))
            }
        }
        let statics = streams.values.map { $0[0].stream }.filter(\.hasStaticContext).sorted { $0.id < $1.id }
        let builds = streams.map { id, documents in
            Self.build(id, documents, relatives: statics.filter { $0.id.nameAndStream == id.nameAndStream }, base: content.baseModules)
        }
        // libsolv prefers what comes first where nothing else decides, so this is libdnf's order.
        self.builds = builds.sorted { a, b in a.hasStaticContext == b.hasStaticContext ? a.id < b.id : a.hasStaticContext }
        self.defaults = defaults.reduce(into: [:]) { defaults, one in
            if let stream = one.stream { defaults[one.module] = stream }
        }
    }

    /// - Parameter relatives: The builds of the stream that have a static context.
    private static func build(
        _ id: NSVC, _ documents: [(stream: ModuleStream, isLookaside: Bool)], relatives: [ModuleStream], base: Set<String>
    ) -> ModularBuild {
        let stream = documents[0].stream
        let requirements = withoutBase(stream.requirements, base)
        let text = text(requirements)
        let relative =
            stream.hasStaticContext ? stream : relatives.first { Self.text(withoutBase($0.requirements, base)) == text }
        return ModularBuild(
            id: id, requirements: requirements, packages: documents.reduce(into: []) { $0.formUnion($1.stream.packages) },
            filtered: documents.reduce(into: []) { $0.formUnion($1.stream.artifacts.subtracting($1.stream.packages)) },
            demodularized: documents.reduce(into: []) { $0.formUnion($1.stream.demodularized) },
            isLookaside: documents.allSatisfy(\.isLookaside), hasStaticContext: stream.hasStaticContext,
            lineage: "\(id.nameAndStream):\(relative?.id.context ?? text)")
    }

    private static func withoutBase(_ alternatives: [[StreamRequirement]], _ base: Set<String>) -> [[StreamRequirement]] {
        let rest = alternatives.map { $0.filter { !base.contains($0.module) } }
        return rest.contains(where: \.isEmpty) ? [] : rest
    }

    private static func text(_ alternatives: [[StreamRequirement]]) -> String {
        let texts = alternatives.joined().map { requirement in
            let streams = requirement.streams.union(requirement.excluded.map { "-\($0)" }).sorted()
            return streams.isEmpty ? requirement.module : "\(requirement.module):[\(streams.joined(separator: ","))]"
        }
        return texts.isEmpty ? "NoRequires" : texts.sorted().joined(separator: ";")
    }
}
