/// The answer to an upload of a build context, in the form of the API.
public struct ContextDocument: Hashable, Sendable, Codable {
    /// The digest of the uploaded bytes. A definition names it as `{"archive": "sha256:…"}`.
    public var digest: ImageDigest
    /// The number of bytes.
    public var bytes: Int

    public init(digest: ImageDigest, bytes: Int) {
        self.digest = digest
        self.bytes = bytes
    }
}
