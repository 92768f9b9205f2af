/// An error in module metadata that makes it unusable.
public struct ModuleMetadataError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A whole sentence that says what is wrong, and where.
    public let description: String

    init(_ description: String) { self.description = description }
}
