public import Compression

/// The number of entries in the `primary.xml` of a repository that are not usable packages. Such an
/// entry has no name, no checksum, no location, or a name, version or architecture that is too long.
/// These entries were left out before the resolution.
public struct UnusableEntries: Hashable, Sendable, Codable {
    /// The repository, by ``RepositoryMetadata/id``.
    public let repository: Checksum
    public let count: Int
}

extension UnusableEntries: CustomStringConvertible {
    /// A sentence about a repository that was named before, without its period: "3 entries are left out,
    /// ...".
    public var description: String {
        let entries = count == 1 ? "1 entry of primary.xml is" : "\(count) entries of primary.xml are"
        return "\(entries) left out: no usable name, checksum or location"
    }
}
