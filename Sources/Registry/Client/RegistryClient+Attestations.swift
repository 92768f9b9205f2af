public import ImageModel

/// The documents about an image.
extension RegistryClient {
    /// Returns the content of an artifact with one layer, for example an attestation. Returns `nil` if it has
    /// several layers, or if it is gone.
    ///
    /// - Parameter referrer: The artifact, as a list of referrers names it.
    /// - Throws: `.limitExceeded` if the content is larger than a document may be.
    public func content(of referrer: Descriptor, in repository: ImageRepository) async throws(RegistryFailure) -> [UInt8]? {
        do throws(RegistryFailure) {
            let document = try await manifest(ImageReference(repository, digest: referrer.digest))
            guard case .manifest(let artifact) = document.content, artifact.layers.count == 1, let layer = artifact.layers.first else {
                return nil
            }
            return try await blob(layer, of: repository)
        } catch  where error.code == .notFound {
            return nil
        }
    }
}
