/// A *context artifact* is an uploaded build context in a registry: a manifest with one layer, which is
/// the archive as it was uploaded. Its configuration is the Containerfile at the top of the archive, so
/// that it can be read without the archive.
public enum ContextArtifact {
    /// The type of the artifact.
    public static let type = "application/vnd.odcs.context"
    /// The type of the archive. It is a tar, which may be compressed.
    public static let archive = MediaType(rawValue: "application/vnd.odcs.context.tar")
    /// The type of the configuration. An archive without a Containerfile has an empty configuration.
    public static let containerfile = MediaType(rawValue: "application/vnd.odcs.containerfile")
    /// The names of a Containerfile, in the order of preference.
    public static let containerfileNames = ["Containerfile", "Dockerfile"]
    /// The content of an empty configuration.
    public static let emptyConfiguration = Array("{}".utf8)

    /// The tag of the manifest. Example: `sha256-6c3c…` for `sha256:6c3c…`.
    ///
    /// - Parameter archive: The digest of the archive.
    public static func tag(of archive: ImageDigest) -> ImageTag { archive.referrersTag }

    /// Creates the manifest.
    public static func manifest(archive: Descriptor, configuration: Descriptor) -> Manifest {
        Manifest(configuration: configuration, layers: [archive], artifactType: type)
    }
}
