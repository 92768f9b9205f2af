import ImageModel
import SystemPackage

extension ServerConfiguration {
    /// The settings of image builds. Without a registry, no images are built.
    struct Images: Hashable, Sendable {
        /// The registry, or the part of it, for images whose names have no host. `nil` means that building is
        /// off.
        var registry: ImageNamespace?
        /// The logins for registries, in the format of podman and docker.
        var authFile: FilePath?
        /// The private key that signs the provenance of images, as PEM. `nil` leaves it without a signature.
        var provenanceKey: FilePath?
        /// Registries that are spoken to without TLS.
        var insecureRegistries: [RegistryHost]
        /// Registries that images may be pushed to and based on, besides ``registry``.
        var allowedRegistries: [RegistryHost]
        /// The user that builds, if the server runs as root.
        var account: String
        /// Whether an image may ask for the network of the host.
        var allowsHostNetwork: Bool
        /// The number of platforms that the worker builds itself at the same time. With 0, it has no node of
        /// its own.
        var slots: Int
        /// The number of steps that the worker has done by nodes of farms at the same time.
        var nodeSlots: Int
        /// The directory with the keys for nodes of farms. `nil` if the account of the server has its own.
        var nodeKeys: FilePath?
        /// The labels of this worker. An image can require labels.
        var labels: [String: String]
        var timeLimitSeconds: Int
        /// The maximum memory of one build, in bytes. `nil` means no limit.
        var memoryBytes: Int?
        var contextBytes: Int
        var logBytes: Int
        /// The space that must be free on the disk of the builds. With less, the worker begins no platform.
        var minimumFreeBytes: Int
        /// The interval at which the tags of images are looked at, in seconds.
        var contentsSeconds: Int
        /// The maximum number of builds of one rebuild at a time.
        var rebuildSlots: Int
        /// The settings for artifacts. `nil` if no images are built.
        var artifacts: ArtifactSettings?

        /// Whether this process has a part in image builds if it is a worker: it builds itself, or has nodes of
        /// farms build.
        var isBuildingHere: Bool { registry != nil && (slots > 0 || nodeSlots > 0) }
        /// The registries that a name of an image may have.
        var registries: Set<RegistryHost> { Set(allowedRegistries).union(registry.map { [$0.host] } ?? []) }
    }
}
