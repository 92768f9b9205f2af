import ImageArchive
import ImageModel
import NIOCore
import Registry

/// A *component layer* is the one layer of a component's image. It is the archive that users get, so
/// its entries are checked before a tag shows it.
struct ComponentLayer {
    private let layer: Descriptor
    private let repository: ImageRepository

    /// Throws `BuildFailure` if the image has not exactly one layer.
    init(_ manifest: Manifest, of repository: ImageRepository) throws(BuildFailure) {
        guard manifest.layers.count == 1 else {
            throw BuildFailure(
                .unexpectedContents, "The image of a component must have one layer, and this one has \(manifest.layers.count).")
        }
        layer = manifest.layers[0]
        self.repository = repository
    }

    /// Throws `BuildFailure` if the archive has an entry that leads out of it, or if it is too large.
    ///
    /// - Parameter limit: The most bytes of the archive, as it is and when uncompressed.
    func check(registry: RegistryClient, limit: Int) async throws {
        guard layer.size <= limit else {
            throw BuildFailure(
                .limitExceeded,
                "The archive of the component has \(layer.size) bytes, and \(limit) are possible (images.context_megabytes).")
        }
        var limits = BuildContextReader.Limits()
        limits.plainBytes = limit
        let reader = BuildContextReader(of: .component, limits: limits)
        do {
            try await registry.blob(layer, of: repository) { piece in
                try piece.withUnsafeReadableBytes { try reader.read($0) }
            }
            _ = try reader.finish()
        } catch let error as ImageArchiveError {
            throw BuildFailure(error.code == .tooLarge ? .limitExceeded : .unexpectedContents, error.message)
        }
    }
}
