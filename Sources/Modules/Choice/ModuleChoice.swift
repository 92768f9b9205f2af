/// The modules of a compose: the requested ones, and the modules that they depend on, directly or
/// indirectly.
///
/// - A compose may have several streams of one module, so that each machine can use one of them.
/// - It has only one version of a stream. This is the requested version, or else the newest that suits
///   all modules that need the stream.
/// - If a module accepts any of several named streams, all existing ones are included, so that each can
///   be installed.
/// - If a module accepts any stream and the compose has no suitable one, the most recently built one is
///   used.
public struct ModuleChoice: Sendable {
    /// A chosen build and the reason for it.
    public struct Chosen: Hashable, Sendable {
        public let build: ModuleBuild
        /// The chain of modules from the request to this build. Example: `["nodejs:20", "python:3.12"]`.
        public let chain: [String]
    }

    /// The chosen builds, sorted by id.
    public let modules: [Chosen]

    /// The rules for the choice of modules.
    public struct Rules: Sendable {
        /// Whether the modules that the requested ones depend on are left out.
        public var noDependencies = false
        public var filter = ModuleBuildFilter()
        /// The modules that every machine has and no compose contains.
        public var baseModules: Set<String> {
            get { filter.baseModules }
            set { filter.baseModules = newValue }
        }

        public init() {}
    }

    /// Chooses modules from `catalog`.
    ///
    /// - Throws: ``ModuleChoiceError``, and the errors of `catalog`:
    ///   - `.notFound` if a requested module cannot be found, with the reason or similar names.
    ///   - `.baseModule` if a base module is requested.
    ///   - `.brokenDependencies` if a dependency cannot be found, or if two versions of one stream are
    ///     needed. The message says which modules need them.
    public init(of requested: [ModuleReference], from catalog: some ModuleCatalog, rules: Rules = Rules()) async throws {
        if let base = requested.first(where: { rules.baseModules.contains($0.name) }) { throw ModuleChoiceError.baseModule(base) }
        var resolution = ModuleResolution(of: catalog, rules: rules)
        modules = try await resolution.modules(of: requested).sorted { $0.build.id < $1.build.id }
    }
}
