/// The most that a ``TarReader`` reads from one archive. Every limit stops an archive that was made to
/// use up memory, time or disk.
public struct TarLimits: Hashable, Sendable {
    /// The number of entries, without the entries that only carry metadata.
    public var entries = 2_000_000
    /// The bytes of metadata (pax records and long names) before one entry.
    public var metadataOfEntry = 1 << 20
    /// The bytes of metadata in the whole archive.
    public var metadata = 256 << 20
    /// The bytes of the whole archive.
    public var bytes = 64 << 30

    public init() {}
}
