public import Modules

/// The packages and modules of a pin in Koji.
public struct KojiListing: Sendable {
    public let packages: [KojiPackage]
    /// The documents of the pinned modules. If the documents of a module do not name packages, they get the
    /// packages of the module's tag.
    public let modules: ModuleMetadata
    /// Sentences about packages that a module names but its tag does not have.
    public let notes: [String]
    /// The question that was answered, without the event. `nil` if its next answer may have other packages
    /// altogether.
    public let question: String?
}
