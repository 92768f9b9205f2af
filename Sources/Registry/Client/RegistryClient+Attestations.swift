public import ImageModel

/// The documents about an image. Anyone who can push to the repository may have attached them, so one
/// that cannot be used is like one that is not there.
extension RegistryClient {
    /// Returns the layer of an artifact with one layer, for example an attestation. Returns `nil` if it has
    /// several layers, if it is gone, or if it is no artifact.
    ///
    /// - Parameter referrer: The artifact, as a list of referrers names it.
    public func layer(of referrer: Descriptor, in repository: ImageRepository) async throws(RegistryFailure) -> Descriptor? {
        try await ifUsable { () async throws(RegistryFailure) in
            let document = try await manifest(ImageReference(repository, digest: referrer.digest))
            guard case .manifest(let artifact) = document.content, artifact.layers.count == 1 else { return nil }
            return artifact.layers.first
        }
    }

    /// Returns the content of an artifact with one layer. Returns `nil` if no artifact can be used.
    ///
    /// - Parameters:
    ///   - referrer: The artifact, as a list of referrers names it.
    ///   - most: The most bytes of the content. A larger one is not used.
    public func content(
        of referrer: Descriptor, in repository: ImageRepository, most: Int = ManifestDocument.mostBytes
    ) async throws(RegistryFailure) -> [UInt8]? {
        guard let layer = try await layer(of: referrer, in: repository) else { return nil }
        return try await ifUsable { () async throws(RegistryFailure) in try await blob(layer, of: repository, most: most) }
    }

    /// - Throws: Failures of the registry, which say nothing about the content.
    private func ifUsable<Content>(
        _ read: () async throws(RegistryFailure) -> Content?
    ) async throws(RegistryFailure) -> Content? {
        do throws(RegistryFailure) {
            return try await read()
        } catch {
            switch error.code {
            case .notFound, .badAnswer, .mismatch, .limitExceeded: return nil
            default: throw error
            }
        }
    }
}
