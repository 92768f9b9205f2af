import ForeignText

/// A text or document about images that cannot be used. The description is for a person: the problem,
/// its place and, if possible, a remedy.
public struct ImageProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of the problem. The set is bounded, so a code can be the label of a metric.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        case badReference = "bad-reference"
        case badDigest = "bad-digest"
        case badPlatform = "bad-platform"
        /// The name or the connection of a node cannot be used.
        case badNode = "bad-node"
        /// A manifest, index or configuration is not JSON, lacks a member or has a wrong one.
        case badDocument = "bad-document"
        /// The document has a form that this service does not read, for example schema 1.
        case unsupported
        case limitExceeded = "limit-exceeded"
        /// The bytes do not have the digest or the size that they should have.
        case mismatch
        /// An index has no image for the platform.
        case platformNotFound = "platform-not-found"
    }

    public let code: Code
    /// One sentence or several, on one line. Foreign texts in it are printable.
    public let description: String

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description.printable()
    }
}
