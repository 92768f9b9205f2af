import HTTPTypes
import ImageModel
import Registry

/// The context store keeps uploaded build contexts in the registry, so that workers of other hosts can
/// read them.
struct ContextStore: Sendable {
    let service: ImageService

    /// Stores an archive. Equal bytes are stored once.
    ///
    /// - Parameter containerfile: The Containerfile at the top of the archive.
    func store(_ archive: Descriptor, _ content: some BlobContent, containerfile: [UInt8]?) async throws {
        let configuration =
            containerfile.map { Descriptor(of: $0, mediaType: ContextArtifact.containerfile) }
            ?? Descriptor(of: ContextArtifact.emptyConfiguration, mediaType: .empty)
        let manifest = ContextArtifact.manifest(archive: archive, configuration: configuration)
        do {
            let repository = try service.namespace.contexts
            async let small = service.registry.upload(
                configuration, to: repository, BytesContent(containerfile ?? ContextArtifact.emptyConfiguration))
            try await service.registry.upload(archive, to: repository, content)
            _ = try await small
            try await service.registry.put(ManifestDocument(manifest), to: repository, tag: ContextArtifact.tag(of: archive.digest))
        } catch let error as RegistryFailure {
            throw RequestRejection(error)
        }
    }

    /// Returns the Containerfile of a context.
    ///
    /// - Throws: ``RequestRejection`` if there is no such context, or if it has no Containerfile.
    func containerfile(of archive: ImageDigest) async throws -> String {
        do {
            let repository = try service.namespace.contexts
            let document = try await service.registry.manifest(ImageReference(repository, tag: ContextArtifact.tag(of: archive)))
            guard case .manifest(let manifest) = document.content, manifest.layers.map(\.digest) == [archive] else {
                throw Self.none(archive)
            }
            guard manifest.configuration.mediaType == ContextArtifact.containerfile else {
                throw RequestRejection.badRequest(
                    "The context \(archive) has no Containerfile at its top. Its name must be Containerfile or Dockerfile.")
            }
            let bytes = try await service.registry.knownBlob(manifest.configuration, of: repository)
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw RequestRejection.badRequest("The Containerfile of the context \(archive) is not text in UTF-8.")
            }
            return text
        } catch let error as RegistryFailure where error.code == .notFound {
            throw Self.none(archive)
        } catch let error as RegistryFailure {
            throw RequestRejection(error)
        }
    }

    private static func none(_ archive: ImageDigest) -> RequestRejection {
        .badRequest("There is no context \(archive). Upload it to /api/1/contexts/ first.")
    }
}

extension RequestRejection {
    /// Explains that the registry could not be used.
    init(_ failure: RegistryFailure) {
        self.init(.serviceUnavailable, "\(failure.message) Please try again later.", headers: [.retryAfter: "30"])
    }
}
