public import Modules

/// The modules that packages of some repositories belong to, and which of them a compose is to have.
public struct ModularContent: Hashable, Sendable {
    /// The streams of the repositories, for each of their architectures, and which of them are taken where nobody chooses.
    public var metadata: ModuleMetadata
    /// Those of the lookasides.
    public var lookaside: ModuleMetadata
    /// What every machine has in the stream that it needs: requirements of them always hold.
    public var baseModules: Set<String>
    /// The streams that are taken in place of the defaults of their modules when requested packages are resolved. Where one has no build for an
    /// architecture, the default stays there.
    public var enabled: [ModuleReference]
    /// The builds whose packages the result has, all of them, whatever else is requested; with what these require, like requested packages. What is
    /// required of modules is looked for among these builds first.
    public var included: Set<NSVC>
    /// Whether the packages of ``included`` are all that is wanted: not what they require, and nothing else when no package is requested.
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

    /// Whether nothing is told of modules and none is wanted.
    public var isEmpty: Bool {
        metadata.streams.isEmpty && lookaside.streams.isEmpty && enabled.isEmpty && metadata.unusable.isEmpty && lookaside.unusable.isEmpty
    }

    /// A sentence for each document of modules that was passed over, and no more of them than somebody reads.
    public var notes: [String] {
        let all = metadata.unusable + lookaside.unusable
        let sentences = all.prefix(Self.named).map { "\($0) Its packages are packages of no module here, as they are for dnf." }
        return sentences + (all.count > Self.named ? ["\(all.count - Self.named) more documents of modules cannot be used."] : [])
    }

    private static let named = 20
}
