public import ImageModel

/// Documents that this client has read before. They are correct, even if the registry has removed them
/// meanwhile.
extension RegistryClient {
    /// Returns a manifest or an index by its digest. Asks the registry only if this client has not read it
    /// before.
    public func knownManifest(_ digest: ImageDigest, of repository: ImageRepository) async throws(RegistryFailure) -> ManifestDocument {
        if let known = memory.manifest(digest, in: repository) { return known }
        return try await manifest(ImageReference(repository, digest: digest))
    }

    /// Returns a small blob, for example the configuration of an image. Asks the registry only if this
    /// client has not read it before.
    public func knownBlob(_ descriptor: Descriptor, of repository: ImageRepository) async throws(RegistryFailure) -> [UInt8] {
        if let known = memory.blob(descriptor.digest, in: repository), known.count == descriptor.size { return known }
        let bytes = try await blob(descriptor, of: repository)
        memory.note(bytes, descriptor.digest, in: repository)
        return bytes
    }
}
