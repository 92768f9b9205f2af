import ComposeModel
import Depsolve
import Modules
import Repodata

/// Composed modules are the modules of a compose, and the module documents of its repositories.
struct ComposedModules: Sendable {
    /// A build of a module, as the machines of one architecture have it.
    struct Build: Sendable {
        let stream: ModuleStream
        /// The base architecture.
        let arch: String
        /// The packages of the build that are in the compose for that architecture.
        let packages: Set<NEVRA>
    }

    /// The builds, sorted by id and then by architecture.
    private(set) var builds: [Build] = []
    /// The module documents in YAML, by the name of their repository. Example of a name: `x86_64/os`.
    ///
    /// The repositories of one architecture have the same documents. If a client finds a build twice with
    /// different packages, it uses the packages of only one.
    private(set) var documents: [String: String] = [:]
    /// The reason why each module is included, in words.
    private(set) var reasons: [NSVC: String] = [:]

    /// Sentences, one for each build that has no packages for an architecture.
    private(set) var notes: [String] = []

    /// Creates a value without modules.
    init() {}

    init(of resolution: Resolution, from content: ModularContent?, for request: ComposeRequest) throws {
        guard let content, !resolution.modules.isEmpty else { return }
        let sources = Set(resolution.sources.map(\.record.nevra))
        var ofAll: Set<NEVRA> = sources
        for tree in resolution.trees {
            let packages = Set((tree.binaries + tree.debug).map(\.record.nevra)).union(sources)
            ofAll.formUnion(packages)
            let inside = Set(tree.modules)
            let binaries = Set((tree.binaries + tree.debug).map(\.record.nevra))
            let named = Set(content.metadata.streams.filter { !$0.packages.isEmpty }.map(\.id))
            for id in content.included.sorted() where named.contains(id) {
                let own = content.metadata.streams.filter { $0.id == id }.reduce(into: Set<NEVRA>()) { $0.formUnion($1.packages) }
                if own.isDisjoint(with: binaries) { notes.append("The module \(id) has no packages for \(tree.arch).") }
            }
            let metadata = content.metadata.with(streams: content.metadata.streams.filter { $0.isSeen(byMachinesOf: tree.arch) })
            let streams = Dictionary(grouping: metadata.streams.filter { inside.contains($0.id) }, by: \.id).values
            // A build may have two documents here, one of them for all architectures.
            for documents in streams {
                let own = documents.reduce(into: Set<NEVRA>()) { $0.formUnion($1.packages) }
                builds.append(Build(stream: documents[0], arch: tree.arch, packages: own.intersection(packages)))
            }
            let yaml = try Self.yaml(metadata, of: inside, packages: packages)
            for kind in [TreeLayout.Kind.os, .debug] { documents[TreeLayout.path(kind, tree.arch)] = yaml }
        }
        let inside = Set(resolution.modules)
        let ofTrees = content.metadata.streams.filter { stream in
            resolution.trees.contains { $0.modules.contains(stream.id) && stream.isSeen(byMachinesOf: $0.arch) }
        }
        documents[TreeLayout.source] = try Self.yaml(content.metadata.with(streams: ofTrees), of: inside, packages: ofAll)
        documents = documents.filter { !$0.value.isEmpty }
        builds.sort { ($0.stream.id, $0.arch) < ($1.stream.id, $1.arch) }

        let dashed = request.source.compactMap { DashedModule($0) }.flatMap { $0.meanings(among: inside) }
        let asked = dashed + (request.source + request.scratchModules + request.modules).compactMap { ModuleReference($0) }
        let chains = ModuleChains(of: asked, among: content.metadata.streams.filter { inside.contains($0.id) })
        for id in inside {
            reasons[id] = chains.reason(for: id) ?? (content.included.contains(id) ? "taken along" : "packages of it are in the compose")
        }
    }

    /// The module and stream of each modular package. Example of a value: `nodejs:18`.
    var streams: [NEVRA: String] {
        builds.reduce(into: [:]) { streams, build in
            for package in build.packages { streams[package] = build.stream.id.nameAndStream }
        }
    }

    private static func yaml(_ metadata: ModuleMetadata, of ids: Set<NSVC>, packages: Set<NEVRA>) throws -> String {
        do {
            return try metadata.yaml(of: ids, packages: packages)
        } catch {
            throw ComposeFailure(.metadataCorrupt, "The documents of the modules cannot be written: \(error)")
        }
    }
}
