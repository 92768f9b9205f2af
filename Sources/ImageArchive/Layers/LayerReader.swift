public import ImageModel

/// Reads a compressed layer whose bytes are pushed in pieces: verifies its digest and delivers its
/// entries.
///
/// The entries are delivered before the digest is known. So they are foreign until ``finish(_:)``
/// returns.
public final class LayerReader {
    private let decoder: LayerDecoder
    private var tar: TarReader

    /// - Parameter verifiesDigest: False if the source of the bytes verifies the digest of the layer.
    public init(
        _ layer: Descriptor, limits: LayerLimits = LayerLimits(), diffAlgorithm: ImageDigest.Algorithm? = .sha256,
        verifiesDigest: Bool = true
    ) throws(ImageArchiveError) {
        decoder = try LayerDecoder(layer, limits: limits, diffAlgorithm: diffAlgorithm, verifiesDigest: verifiesDigest)
        tar = TarReader(limits: limits.tar)
    }

    public func read(_ bytes: UnsafeRawBufferPointer, _ visitor: some TarVisitor) throws(ImageArchiveError) {
        try decoder.read(bytes) { (plain) throws(ImageArchiveError) in try tar.read(plain, visitor) }
    }

    /// Ends the layer. Throws if its digest, size or archive is wrong or incomplete.
    public func finish(_ visitor: some TarVisitor) throws(ImageArchiveError) -> LayerDecoder.Summary {
        let summary = try decoder.finish { (plain) throws(ImageArchiveError) in try tar.read(plain, visitor) }
        try tar.finish()
        return summary
    }
}
