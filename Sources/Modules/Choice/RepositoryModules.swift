/// The modules of RPM repositories, according to their modules.yaml.
public struct RepositoryModules: ModuleCatalog {
    public let name: String
    private let builds: [String: [ModuleBuild]]
    private let unusable: [UnusableModuleDocument]

    /// - Parameters:
    ///   - metadata: The metadata of all repositories. A build that exists for several architectures counts
    ///     once.
    ///   - unusable: Skipped documents of the repositories, in addition to those of `metadata`.
    ///   - name: The name of the repositories in the middle of a sentence.
    public init(_ metadata: ModuleMetadata, unusable: [UnusableModuleDocument] = [], name: String = "the repositories") {
        self.name = name
        self.unusable = metadata.unusable + unusable
        var seen: Set<NSVC> = []
        let streams = metadata.streams.filter { seen.insert($0.id).inserted }
        builds = Dictionary(grouping: streams.map { ModuleBuild(stream: $0) }, by: \.id.name)
    }

    /// Returns the builds that match the reference and pass the filter. A condition on base modules applies
    /// only to documents that name base modules.
    public func builds(of reference: ModuleReference, filter: ModuleBuildFilter) -> [ModuleBuild] {
        builds[reference.name, default: []].filter { reference.includes($0.id) && filter.accepts(documented: $0.stream) }
    }

    public func streams(of module: String, filter: ModuleBuildFilter) -> [String] {
        Set(builds[module, default: []].map(\.id.stream)).sorted()
    }

    public func modules() -> [String] { builds.keys.sorted() }

    /// Returns the error of the stream's document if libmodulemd refused it, or `nil` otherwise.
    public func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) -> String? {
        unusable.first { $0.module != nil && $0.mayTell(of: reference.name, stream: reference.stream) }?.description
    }
}
