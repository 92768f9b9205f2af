public import ImageModel

/// The contents of the side file of an archive in the download cache, `NAME.json`.
///
/// A docker-archive does not keep the image's digest. The side file does, with the manifest itself.
public struct CacheRecord: Hashable, Sendable, Codable {
    /// The digest of the image's manifest.
    public let digest: ImageDigest
    /// The digest of the index that listed the manifest, if there was one.
    public let indexDigest: ImageDigest?
    /// The tag in the name that the archive gives to the image. Another tag needs another archive.
    public let tag: ImageTag
    /// The exact text of the manifest.
    public let manifest: String
    public let mediaType: MediaType
    /// The SHA-256 of the archive's file.
    public let archive: ImageDigest
    /// The number of bytes of the archive's file.
    public let size: Int
    /// The time at which the archive's file was last modified, in nanoseconds since 1970.
    public let modified: Int

    /// Returns the manifest. Throws if its text is not that of the digest.
    public func document() throws(ImageArchiveError) -> ManifestDocument {
        try ImageArchiveError.checking { () throws(ImageProblem) in
            try ManifestDocument(Array(manifest.utf8), mediaType: mediaType, digest: digest)
        }
    }

    /// Returns whether the record is for an image with this digest, of the manifest or of the index.
    public func describes(_ digest: ImageDigest) -> Bool { self.digest == digest || indexDigest == digest }
}
