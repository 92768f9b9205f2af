import Foundation
public import ImageModel
public import Registry
public import SystemPackage

/// The image service is the part of the configuration that lets this server build images.
public struct ImageService: Sendable {
    /// The registry in which images without a host are (`images.registry`).
    public var namespace: ImageNamespace
    /// The client for uploaded contexts.
    public var registry: RegistryClient
    /// The registries that images and Containerfiles may name, besides that of the namespace.
    public var allowedRegistries: Set<RegistryHost>
    /// Whether a definition may let instructions reach the network of the host.
    public var allowsHostNetwork: Bool
    /// The most bytes of an uploaded context.
    public var contextBytes: Int
    /// The time in which a context has to arrive, in seconds.
    public var contextSeconds: Int
    /// The settings for artifacts.
    public var artifacts: ArtifactSettings
    /// The directory in which a context is kept while it arrives.
    public var scratch: FilePath

    /// - Parameter scratch: Nil for the directory of temporary files.
    public init(
        namespace: ImageNamespace, registry: RegistryClient, allowedRegistries: Set<RegistryHost> = [], allowsHostNetwork: Bool = false,
        contextBytes: Int = 512 << 20, contextSeconds: Int = 600,
        scratch: FilePath? = nil
    ) {
        self.namespace = namespace
        self.registry = registry
        self.allowedRegistries = allowedRegistries
        self.allowsHostNetwork = allowsHostNetwork
        self.contextBytes = contextBytes
        self.contextSeconds = contextSeconds
        artifacts = ArtifactSettings(namespace: namespace)
        self.scratch = scratch ?? FilePath(FileManager.default.temporaryDirectory.path)
    }

    /// Returns whether images and Containerfiles may name a registry.
    func allows(_ host: RegistryHost) -> Bool { host == namespace.host || allowedRegistries.contains(host) }
}
