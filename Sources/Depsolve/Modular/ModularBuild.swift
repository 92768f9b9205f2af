import Modules
import Repodata

/// A build of a module as machines of one architecture see it.
struct ModularBuild {
    let id: NSVC
    /// The alternatives of the requirements, without requirements of base modules. One alternative must be
    /// met completely. Empty means that nothing is required.
    let requirements: [[StreamRequirement]]
    /// The packages of the build.
    let packages: Set<NEVRA>
    /// Packages that were built for the module and are not part of the build.
    let filtered: Set<NEVRA>
    /// Names of packages that were part of the module once and are not any more.
    let demodularized: Set<String>
    /// Whether only a lookaside has the build.
    let isLookaside: Bool
    let hasStaticContext: Bool
    /// A key that is equal for builds of a stream that replace each other, as a new version replaces the
    /// previous one. A machine sees the packages of all these builds, and the requirements of the newest.
    ///
    /// The rule is dnf's. Builds in the same static context have the same lineage. Other contexts are new
    /// for each version, so for other builds equal requirements count. The text is libdnf's too, because
    /// libsolv chooses by it if nothing else decides.
    ///
    /// Example: `nodejs:20:NoRequires` for a build without requirements and without a static context.
    let lineage: String
}

/// The modules that exist for machines of one architecture.
struct ArchitectureModules {
    /// The builds of all repositories and lookasides, each once.
    let builds: [ModularBuild]
    /// The default streams by module.
    let defaults: [String: String]

    /// - Parameter defaults: The module defaults of all repositories and lookasides.
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
        // If nothing else decides, libsolv prefers the first build. So the builds are in libdnf's order.
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
