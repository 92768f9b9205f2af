public import Modules

/// What Koji has of a pin.
public struct KojiListing: Sendable {
    public let packages: [KojiPackage]
    /// The pinned modules' documents; where one of them names no packages, with those that there are.
    public let modules: ModuleMetadata
    /// Whole sentences about what a module names and its tag has not.
    public let notes: [String]
}
