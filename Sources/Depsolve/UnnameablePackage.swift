import ForeignText
public import Repodata

/// A package that its repository lists and that is left out, because no file can have the name of its file.
///
/// An example is the package `../ed` 1.20-3: its file would be outside of its folder.
public struct UnnameablePackage: Hashable, Sendable, Codable {
    /// The package's name, epoch, version, release and architecture, printable.
    public let package: String
    /// The repository that lists it, by ``RepositoryMetadata/id``.
    public let repository: Checksum
    /// What is wrong with the file's name: "has a slash, so no file can have that name".
    public let reason: String

    init(_ package: PackagePool.Unnameable, of repository: Checksum) {
        self.package = package.package.description.printable(most: 120)
        reason = package.problem.reason
        self.repository = repository
    }
}

extension UnnameablePackage: CustomStringConvertible {
    public var description: String { "the package \"\(package)\" is left out, because the name of its file \(reason)" }
}
