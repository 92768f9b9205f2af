public import Repodata

/// How many entries of a repository's `primary.xml` are no packages: they have no name or an endless one, no checksum, or no place. They were left out
/// before anything was resolved.
public struct UnusableEntries: Hashable, Sendable, Codable {
    /// The repository, by ``RepositoryMetadata/id``.
    public let repository: Checksum
    public let count: Int
}

extension UnusableEntries: CustomStringConvertible {
    /// A sentence about a repository that was named before, without its period: "3 entries are left out, ...".
    public var description: String {
        let entries = count == 1 ? "1 entry of primary.xml is" : "\(count) entries of primary.xml are"
        return "\(entries) left out, for want of a usable name, checksum or location"
    }
}
