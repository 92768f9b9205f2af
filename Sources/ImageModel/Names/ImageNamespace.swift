import ForeignText

/// An *image namespace* is a registry, or a part of one, in which this service keeps images:
/// `HOST[:PORT][/PATH]`. Examples: `localhost:5000`, `registry.example.org/team`.
public struct ImageNamespace: Hashable, Sendable, CustomStringConvertible {
    public let host: RegistryHost
    /// The path below which all names are. Nil for the whole registry.
    public let path: String?

    /// Throws ``ImageProblem`` if the text is not a host with an optional path.
    public init(_ text: some StringProtocol) throws(ImageProblem) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        host = try RegistryHost(parts.first ?? "")
        path = try parts.count == 2 ? ImageRepository(host: host, path: parts[1]).path : nil
    }

    /// The repository of uploaded build contexts.
    public var contexts: ImageRepository {
        get throws(ImageProblem) { try repository("odcs/contexts") }
    }

    /// Returns the repository with that name. A name without a host is below this namespace.
    ///
    /// - Throws: ``ImageProblem`` if the name has a tag or a digest, or cannot be a name.
    public func repository(_ name: some StringProtocol) throws(ImageProblem) -> ImageRepository {
        let first = name.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).first ?? ""
        guard name.contains("/"), RegistryHost.isHost(first.utf8) else {
            return try ImageRepository(host: host, path: path.map { "\($0)/\(name)" } ?? String(name))
        }
        let reference = try ImageReference(name)
        guard reference.tag == nil, reference.digest == nil else {
            throw ImageProblem(.badReference, "\(name.quoted) has a tag or a digest. The name of an image has neither.")
        }
        return reference.repository
    }

    public var description: String { path.map { "\(host)/\($0)" } ?? host.description }
}
