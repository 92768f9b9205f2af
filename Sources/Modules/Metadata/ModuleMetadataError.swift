/// Module metadata that cannot be used.
public struct ModuleMetadataError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A whole sentence: what is wrong, and where.
    public let description: String

    init(_ description: String) { self.description = description }
}
