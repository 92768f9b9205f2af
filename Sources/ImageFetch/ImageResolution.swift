import ImageModel
import Registry

/// An image resolution is the manifest that an address means for a platform, with its configuration.
struct ImageResolution: Sendable {
    let document: ManifestDocument
    let manifest: Manifest
    let configuration: [UInt8]
    /// The digest of the index that names the manifest, or `nil` if the address means a manifest.
    let index: ImageDigest?

    /// Asks the registry.
    init(_ request: FetchRequest, _ registry: RegistryClient) async throws {
        let address = request.address
        let named = try await registry.manifest(
            ImageReference(address.repository, tag: address.digest == nil ? address.tag : nil, digest: address.digest))
        if let digest = address.digest, let tag = address.namedTag {
            try await Self.check(tag, is: digest, of: address.repository, registry)
        }
        switch named.content {
        case .index(let content):
            let descriptor = try content.manifest(for: request.platform)
            document = try await registry.manifest(ImageReference(address.repository, digest: descriptor.digest))
            index = named.digest
        case .manifest:
            document = named
            index = nil
        }
        guard case .manifest(let manifest) = document.content else {
            throw FetchFailure(.image, "\(address) is an index of indexes, which no container engine reads.")
        }
        self.manifest = manifest
        configuration = try await registry.blob(manifest.configuration, of: address.repository)
        let found = try ImageConfiguration(configuration).platform
        guard found == request.platform else {
            throw FetchFailure(
                .platform, "\(address) is an image for \(found), and \(request.platform) is wanted. Name another image, or another --arch.")
        }
    }

    /// Throws if the tag does not mean the digest: the image itself, or the index that names it.
    private static func check(
        _ tag: ImageTag, is digest: ImageDigest, of repository: ImageRepository, _ registry: RegistryClient
    ) async throws {
        let document = try await registry.manifest(ImageReference(repository, tag: tag))
        if document.digest == digest { return }
        if case .index(let index) = document.content, index.manifests.contains(where: { $0.digest == digest }) { return }
        throw FetchFailure(
            .tagMoved,
            "The tag \(tag) of \(repository) is \(document.digest) now, and the address has \(digest). Take the new digest, or leave out the tag."
        )
    }
}
