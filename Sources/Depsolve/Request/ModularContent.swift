public import Modules

/// The modules that packages of some repositories belong to, and the modules that a compose includes.
public struct ModularContent: Hashable, Sendable {
    /// The module streams of the repositories, for each of their architectures, and the default streams.
    public var metadata: ModuleMetadata
    /// The module streams and defaults of the lookasides.
    public var lookaside: ModuleMetadata
    /// The names of modules that every machine has in the required stream. A requirement of such a module
    /// always holds.
    public var baseModules: Set<String>
    /// The streams that replace the defaults of their modules when requested packages are resolved. If an
    /// enabled stream has no build for an architecture, the default stays active there.
    public var enabled: [ModuleReference]
    /// The builds whose packages are all included in the result, independent of other requests. The
    /// dependencies of these packages are also included, as for requested packages. Requirements of modules
    /// are satisfied from these builds first.
    public var included: Set<NSVC>
    /// Whether the result has the packages of ``included`` without their dependencies. If no package is
    /// requested, the result then has nothing else.
    public var isAlone: Bool

    public init(
        metadata: ModuleMetadata, lookaside: ModuleMetadata = ModuleMetadata(), baseModules: Set<String> = ModuleBuild.baseModules,
        enabled: [ModuleReference] = [], included: Set<NSVC> = [], isAlone: Bool = false
    ) {
        self.metadata = metadata
        self.lookaside = lookaside
        self.baseModules = baseModules
        self.enabled = enabled
        self.included = included
        self.isAlone = isAlone
    }

    /// Whether there is no module metadata, and no module is enabled or included.
    public var isEmpty: Bool {
        metadata.streams.isEmpty && lookaside.streams.isEmpty && enabled.isEmpty && included.isEmpty && metadata.unusable.isEmpty
            && lookaside.unusable.isEmpty
    }

    /// A sentence for each skipped module document. After the first 20, one sentence gives the number of
    /// the others.
    public var notes: [String] {
        let all = metadata.unusable + lookaside.unusable
        let sentences = all.prefix(Self.named).map { "\($0) Its packages count as packages without a module here, as in dnf." }
        return sentences + (all.count > Self.named ? ["\(all.count - Self.named) more documents of modules cannot be used."] : [])
    }

    private static let named = 20
}
