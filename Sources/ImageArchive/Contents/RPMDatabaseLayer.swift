import ImageModel

/// The search in one layer. The bytes of the layer are pushed into it.
///
/// The compiler cannot see that it is sendable: the bytes of a layer are pushed one piece after the
/// other, each on a thread of a pool, and never two at once.
public final class RPMDatabaseLayer: @unchecked Sendable {
    private let reader: LayerReader
    let scan: RPMDatabaseScan

    init(_ layer: Descriptor, limits: LayerLimits, _ scan: RPMDatabaseScan, verifiesDigest: Bool) throws(ImageArchiveError) {
        reader = try LayerReader(layer, limits: limits, diffAlgorithm: nil, verifiesDigest: verifiesDigest)
        self.scan = scan
    }

    /// Reads the next compressed bytes of the layer.
    public func read(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) { try reader.read(bytes, scan) }

    func finish() throws(ImageArchiveError) { _ = try reader.finish(scan) }
}
