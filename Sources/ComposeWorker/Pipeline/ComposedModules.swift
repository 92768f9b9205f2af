import ComposeModel
import Depsolve
import Modules
import Repodata

/// The modules that a compose has, and what its repositories say of them.
struct ComposedModules: Sendable {
    /// One build of a module, as one architecture's machines have it.
    struct Build: Sendable {
        let stream: ModuleStream
        /// The base architecture.
        let arch: String
        /// Those of its packages that are in the compose for that architecture.
        let packages: Set<NEVRA>
    }

    /// By id, each architecture's together.
    private(set) var builds: [Build] = []
    /// The documents in YAML, by the name of the repository that they go to: `x86_64/os`.
    ///
    /// The repositories of one architecture have the same documents: where clients find a build twice, with different packages, they take only one's.
    private(set) var documents: [String: String] = [:]
    /// Why each is in, in words.
    private(set) var reasons: [NSVC: String] = [:]

    /// No modules.
    init() {}

    init(of resolution: Resolution, from content: ModularContent?, for request: ComposeRequest) throws {
        guard let content, !resolution.modules.isEmpty else { return }
        let inside = Set(resolution.modules)
        let sources = Set(resolution.sources.map(\.record.nevra))
        var ofAll: Set<NEVRA> = sources
        for tree in resolution.trees {
            let packages = Set((tree.binaries + tree.debug).map(\.record.nevra)).union(sources)
            ofAll.formUnion(packages)
            let metadata = content.metadata.streams { Self.base($0) == tree.arch }
            for stream in metadata.streams where inside.contains(stream.id) {
                builds.append(Build(stream: stream, arch: tree.arch, packages: stream.packages.intersection(packages)))
            }
            let yaml = try Self.yaml(metadata, of: inside, packages: packages)
            for repository in ["os", "debug/tree"] { documents["\(tree.arch)/\(repository)"] = yaml }
        }
        let arches = Set(resolution.trees.map(\.arch))
        let metadata = content.metadata.streams { Self.base($0).map(arches.contains) ?? false }
        documents["source/tree"] = try Self.yaml(metadata, of: inside, packages: ofAll)
        documents = documents.filter { !$0.value.isEmpty }
        builds.sort { ($0.stream.id, $0.arch) < ($1.stream.id, $1.arch) }

        let asked = (request.source + request.scratchModules + request.modules).compactMap { ModuleReference($0) }
        let chains = ModuleChains(of: asked, among: content.metadata.streams.filter { inside.contains($0.id) })
        for id in inside {
            reasons[id] = chains.reason(for: id) ?? (content.included.contains(id) ? "taken along" : "packages of it are in the compose")
        }
    }

    /// The base architecture of one of RPM's architectures; `nil` for one that RPM does not know.
    private static func base(_ arch: String) -> String? {
        do throws(DepsolveError) { return try Depsolver.baseArchitectures(of: [arch]).first } catch { return nil }
    }

    private static func yaml(_ metadata: ModuleMetadata, of ids: Set<NSVC>, packages: Set<NEVRA>) throws -> String {
        do {
            return try metadata.yaml(of: ids, packages: packages)
        } catch {
            throw ComposeFailure(.metadataCorrupt, "The documents of the modules cannot be written: \(error)")
        }
    }
}
