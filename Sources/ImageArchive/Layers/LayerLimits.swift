/// The most that is read from one layer. The limits stop decompression bombs.
public struct LayerLimits: Hashable, Sendable {
    /// The bytes of the uncompressed layer.
    public var plainBytes = 64 << 30
    /// The growth factor by decompression. It counts only for a layer that is larger than
    /// ``unsuspiciousBytes`` when uncompressed. Real layers grow by a factor of 2 to 10.
    public var expansion = 200
    /// The size up to which a layer may grow by any factor. A file of zeros grows by a factor of 1,000.
    public var unsuspiciousBytes = 2 << 30
    public var tar = TarLimits()

    public init() {}
}
