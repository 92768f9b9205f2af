/// The modules of RPM repositories, by their modules.yaml.
public struct RepositoryModules: ModuleCatalog {
    public let name: String
    private let builds: [String: [ModuleBuild]]

    /// - Parameters:
    ///   - metadata: Of all repositories; a build that is there for several architectures counts once.
    ///   - name: What they are called in the middle of a sentence.
    public init(_ metadata: ModuleMetadata, name: String = "the repositories") {
        self.name = name
        var seen: Set<NSVC> = []
        let streams = metadata.streams.filter { seen.insert($0.id).inserted }
        builds = Dictionary(grouping: streams.map { ModuleBuild(stream: $0) }, by: \.id.name)
    }

    /// A filter by base modules does not apply: a repository does not tell what its modules were built against.
    public func builds(of reference: ModuleReference, filter: ModuleBuildFilter) -> [ModuleBuild] {
        builds[reference.name, default: []].filter { reference.includes($0.id) }
    }

    public func streams(of module: String, filter: ModuleBuildFilter) -> [String] {
        Set(builds[module, default: []].map(\.id.stream)).sorted()
    }

    public func modules() -> [String] { builds.keys.sorted() }
}
