import ImageModel
import Registry

extension RegistryClient {
    /// Returns the manifest for each platform of an image.
    func manifests(of document: ManifestDocument, in repository: ImageRepository) async throws -> [Platform: ImageDigest] {
        switch document.content {
        case .manifest(let manifest):
            let configuration = try ImageConfiguration(try await knownBlob(manifest.configuration, of: repository))
            return [configuration.platform: document.digest]
        case .index(let index):
            var manifests: [Platform: ImageDigest] = [:]
            for platform in index.platforms { manifests[platform] = try index.manifest(for: platform).digest }
            return manifests
        }
    }
}
