public import Repodata

/// One build of a module, for one architecture: what its modulemd document says that a compose depends on, and the document itself.
public struct ModuleStream: Hashable, Sendable {
    public let id: NSVC
    /// RPM's name of the architecture; `nil` where the document leaves it open.
    public let arch: String?
    /// Whether the packager chose the context, so that it stays the same from version to version.
    public let hasStaticContext: Bool
    /// Alternatives: each requirement of one of them has to be met. Empty: nothing is required.
    public let requirements: [[StreamRequirement]]
    /// The packages that were built for it and are part of it.
    public let artifacts: Set<NEVRA>
    /// Names of packages that were built for it and are not part of it.
    public let filters: Set<String>
    /// Names of packages that were part of it once and are none of it any more.
    public let demodularized: Set<String>
    /// The whole document in YAML, of version 2 of the format.
    public let document: String

    /// The packages that it brings: its artifacts, without what it filters out.
    ///
    /// `NAME-devel` has what NAME filters out, and Koji's document of it still has those filters (Module Build Service, content generator).
    public var packages: Set<NEVRA> {
        filters.isEmpty || id.name.hasSuffix("-devel") ? artifacts : artifacts.filter { !filters.contains($0.name) }
    }

    /// The modules that some alternative requires.
    public var requiredModules: Set<String> { Set(requirements.joined().map(\.module)) }
}

/// Which stream of a module is taken where nobody chooses one, and with which profiles.
public struct ModuleDefaults: Hashable, Sendable {
    public let module: String
    /// `nil`: none is taken by itself.
    public let stream: String?
    /// The whole document in YAML.
    public let document: String
}

/// What else is told of a module's stream: that it is obsolete, or its texts in other languages.
public struct ModuleRemark: Hashable, Sendable {
    public enum Kind: Hashable, Sendable, CaseIterable {
        case obsoletes, translation
    }

    public let kind: Kind
    public let module: String
    public let stream: String
    /// The whole document in YAML.
    public let document: String
}
