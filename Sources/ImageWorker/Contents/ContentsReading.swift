public import ImageModel

/// A *contents reading* is a way to find out which packages an image in a registry has.
public protocol ContentsReading: Sendable {
    /// Reads the contents of a manifest. Contents that cannot be read are ``Contents/State/unknown(_:)``,
    /// which is no error.
    ///
    /// - Parameter digest: The digest of the manifest of one platform, and not of an index.
    /// - Throws: `RegistryFailure` if the registry does not answer or has no such manifest.
    func contents(of repository: ImageRepository, digest: ImageDigest, platform: Platform) async throws -> Contents
}
