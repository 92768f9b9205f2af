public import ImageModel

/// Decompresses a layer and verifies its digest and size, without looking at its entries.
///
/// The plain bytes are delivered before the digest is known. So they are foreign until
/// ``finish(_:)`` returns.
public final class LayerDecoder {
    /// The result of reading a whole layer.
    public struct Summary: Hashable, Sendable {
        /// The digest of the uncompressed layer, by which the image's configuration names the layer. Nil if it
        /// was not asked for.
        public let diffID: ImageDigest?
        /// The number of bytes of the uncompressed layer.
        public let plainSize: Int
    }

    private let layer: Descriptor
    private let limits: LayerLimits
    private let decompressor: Decompressor
    /// Nil if the digest is verified elsewhere.
    private var digest: RunningDigest?
    private var packedSize = 0
    private var plainDigest: RunningDigest?
    private var plainSize = 0

    /// Creates the decoder of a layer. The first bytes tell the compression: gzip, Zstandard or none.
    ///
    /// - Parameters:
    ///   - diffAlgorithm: the algorithm of ``Summary/diffID``. Nil if it is not needed.
    ///   - verifiesDigest: False if the source of the bytes verifies the digest of the layer.
    /// - Throws: `.unsupported` if the media type is not that of a layer.
    public init(
        _ layer: Descriptor, limits: LayerLimits = LayerLimits(), diffAlgorithm: ImageDigest.Algorithm? = .sha256,
        verifiesDigest: Bool = true
    ) throws(ImageArchiveError) {
        guard layer.mediaType.layerCompression != nil else {
            throw ImageArchiveError(.unsupported, "\(layer.digest) has the type \(layer.mediaType), which is not that of a layer.")
        }
        self.layer = layer
        self.limits = limits
        decompressor = Decompressor(named: "The layer \(layer.digest)")
        digest = verifiesDigest ? RunningDigest(layer.digest.algorithm) : nil
        plainDigest = diffAlgorithm.map { RunningDigest($0) }
    }

    /// Reads the next compressed bytes. Calls `body` with each piece of plain bytes.
    public func read(
        _ bytes: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(ImageArchiveError) -> Void
    ) throws(ImageArchiveError) {
        digest?.update(bytes)
        packedSize += bytes.count
        guard packedSize <= layer.size else {
            throw ImageArchiveError(
                .digestMismatch, "The layer \(layer.digest) has more than \(layer.size) bytes, the size in the manifest.")
        }
        try decompressor.read(bytes) { (plain) throws(ImageArchiveError) in try take(plain, body) }
    }

    /// Ends the layer. Throws if its size or digest is another one than that of the descriptor.
    public func finish(
        _ body: (UnsafeRawBufferPointer) throws(ImageArchiveError) -> Void
    ) throws(ImageArchiveError) -> Summary {
        guard packedSize == layer.size else {
            throw ImageArchiveError(
                .truncated, "The layer \(layer.digest) ends after \(packedSize) of \(layer.size) bytes.")
        }
        if let found = digest?.digest, found != layer.digest {
            throw ImageArchiveError(.digestMismatch, "The layer that should have the digest \(layer.digest) has \(found).")
        }
        try decompressor.finish { (plain) throws(ImageArchiveError) in try take(plain, body) }
        return Summary(diffID: plainDigest?.digest, plainSize: plainSize)
    }

    private func take(
        _ plain: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(ImageArchiveError) -> Void
    ) throws(ImageArchiveError) {
        plainDigest?.update(plain)
        plainSize += plain.count
        let size = plainSize
        guard size <= limits.plainBytes else {
            throw ImageArchiveError(
                .tooLarge,
                "The layer \(layer.digest) has more than \(limits.plainBytes) bytes when uncompressed, the most that is accepted.")
        }
        guard size <= limits.unsuspiciousBytes || size / limits.expansion <= packedSize else {
            throw ImageArchiveError(
                .tooLarge,
                "The layer \(layer.digest) becomes more than \(limits.expansion) times larger when uncompressed, which is not accepted.")
        }
        try body(plain)
    }
}
