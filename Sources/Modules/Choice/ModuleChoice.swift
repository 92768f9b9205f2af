import ComposeModel

/// The modules of a compose: those that were asked for, and, to the end, those that they depend on.
///
/// A compose may have several streams of one module, for different machines to take one each, but one version of a stream only: the one that was asked
/// for, else the newest that all who need the stream can do with. Where a module is content with any of several streams that are named, all of them
/// that exist are taken, so that each can be installed; where any stream will do and none is in, the one that was built last.
public struct ModuleChoice: Sendable {
    /// A build with why it is in.
    public struct Chosen: Hashable, Sendable {
        public let build: ModuleBuild
        /// From what was asked for to this one: `["nodejs:20", "python:3.12"]`.
        public let chain: [String]
    }

    /// By id.
    public let modules: [Chosen]

    /// How modules are chosen.
    public struct Rules: Sendable {
        /// Without what they depend on.
        public var noDependencies = false
        public var filter = ModuleBuildFilter()
        /// What every machine has and no compose contains.
        public var baseModules: Set<String> = ["platform", "bootstrap"]

        public init() {}
    }

    /// Chooses from `catalog`.
    ///
    /// Throws `.packageNotFound` for a module that is not there, with the reason or the names that come near; `.sourceNotUsable` for a base module;
    /// `.brokenDependencies` for a dependency that is not there and for two versions of one stream, with who asked for each; and what `catalog` throws.
    public init(of requested: [ModuleReference], from catalog: some ModuleCatalog, rules: Rules = Rules()) async throws {
        if let base = requested.first(where: { rules.baseModules.contains($0.name) }) { throw ComposeFailure.baseModule(base) }
        var resolution = ModuleResolution(of: catalog, rules: rules)
        modules = try await resolution.modules(of: requested).sorted { $0.build.id < $1.build.id }
    }
}
