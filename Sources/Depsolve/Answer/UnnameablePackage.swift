public import Compression

/// A package of a repository that is left out because no file can have its file name.
///
/// An example is the package `../ed` 1.20-3. Its file would be outside of its folder.
public struct UnnameablePackage: Hashable, Sendable, Codable {
    /// The name, epoch, version, release and architecture of the package in printable form.
    public let package: String
    /// The repository that lists the package, by ``RepositoryMetadata/id``.
    public let repository: Checksum
    /// The problem with the file name, for example "has a slash, so no file can have that name".
    public let reason: String
}

extension UnnameablePackage: CustomStringConvertible {
    public var description: String { "the package \"\(package)\" is left out, because the name of its file \(reason)" }
}
