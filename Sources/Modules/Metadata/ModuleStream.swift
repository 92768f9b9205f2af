public import Repodata

/// One build of a module, for one architecture. It has the parts of its modulemd document that a
/// compose depends on, and the document itself.
public struct ModuleStream: Hashable, Sendable {
    public let id: NSVC
    /// RPM's name of the architecture, or `nil` if the document does not name one.
    public let arch: String?
    /// Whether the packager chose the context, so that it stays the same from version to version.
    public let hasStaticContext: Bool
    /// The alternatives. An alternative is met if all its requirements are met. Empty means that nothing is
    /// required.
    public let requirements: [[StreamRequirement]]
    /// The packages that were built for the module and are part of it.
    public let artifacts: Set<NEVRA>
    /// The names of packages that were built for the module but are not part of it.
    public let filters: Set<String>
    /// The names of packages that were part of the module once but no longer are.
    public let demodularized: Set<String>
    /// The whole document in YAML, in version 2 of the format.
    public let document: String

    /// The packages that the module provides: its artifacts without the filtered ones.
    ///
    /// The module `NAME-devel` provides the packages that NAME filters out. Koji's document of `NAME-devel`
    /// still has these filters, so they are ignored for it (Module Build Service, content generator).
    public var packages: Set<NEVRA> {
        filters.isEmpty || id.name.hasSuffix("-devel") ? artifacts : artifacts.filter { !filters.contains($0.name) }
    }

    /// The modules that any alternative requires.
    public var requiredModules: Set<String> { Set(requirements.joined().map(\.module)) }
}

/// The stream of a module that is used if no user chooses one, and its profiles.
public struct ModuleDefaults: Hashable, Sendable {
    public let module: String
    /// The default stream, or `nil` if the module has none.
    public let stream: String?
    /// The whole document in YAML.
    public let document: String
}

/// Another document about a module's stream: it marks the stream as obsolete, or has its texts in other
/// languages.
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
