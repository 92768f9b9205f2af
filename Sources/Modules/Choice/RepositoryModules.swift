/// The modules of RPM repositories, by their modules.yaml.
public struct RepositoryModules: ModuleCatalog {
    public let name: String
    private let builds: [String: [ModuleBuild]]
    private let unusable: [UnusableModuleDocument]

    /// - Parameters:
    ///   - metadata: Of all repositories; a build that is there for several architectures counts once.
    ///   - unusable: Documents of the repositories that were passed over, besides those of `metadata`.
    ///   - name: What they are called in the middle of a sentence.
    public init(_ metadata: ModuleMetadata, unusable: [UnusableModuleDocument] = [], name: String = "the repositories") {
        self.name = name
        self.unusable = metadata.unusable + unusable
        var seen: Set<NSVC> = []
        let streams = metadata.streams.filter { seen.insert($0.id).inserted }
        builds = Dictionary(grouping: streams.map { ModuleBuild(stream: $0) }, by: \.id.name)
    }

    /// A filter by base modules applies as far as documents say which they run on.
    public func builds(of reference: ModuleReference, filter: ModuleBuildFilter) -> [ModuleBuild] {
        builds[reference.name, default: []].filter { reference.includes($0.id) && filter.accepts(documented: $0.stream) }
    }

    public func streams(of module: String, filter: ModuleBuildFilter) -> [String] {
        Set(builds[module, default: []].map(\.id.stream)).sorted()
    }

    public func modules() -> [String] { builds.keys.sorted() }

    /// The document of the stream that was refused, if one was.
    public func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) -> String? {
        unusable.first { $0.module != nil && $0.mayTell(of: reference.name, stream: reference.stream) }?.description
    }
}
