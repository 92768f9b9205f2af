import ComposeFrontend
import Logging
import Registry

extension ServerConfiguration.Images {
    /// Returns a client of registries with these settings.
    func registryClient(logger: Logger) -> RegistryClient {
        RegistryClient(
            RegistryConfiguration(insecureHosts: Set(insecureRegistries), credentials: authFile.map { CredentialFiles($0) } ?? .none),
            logger: logger)
    }

    /// Returns the setup of a frontend for images, or `nil` if no images are built.
    func service(registry client: RegistryClient) -> ImageService? {
        registry.map { namespace in
            var service = ImageService(
                namespace: namespace, registry: client, allowedRegistries: Set(allowedRegistries), allowsHostNetwork: allowsHostNetwork,
                contextBytes: contextBytes)
            if let artifacts { service.artifacts = artifacts }
            return service
        }
    }
}
