public import ImageArchive
public import ImageModel

/// A request to fetch one image for one platform.
public struct FetchRequest: Hashable, Sendable {
    public var address: FetchAddress
    public var platform: Platform
    public var format: CacheName.Format
    /// The level of Zstandard, from 1 to 22. An OCI archive ignores it, because its layers are compressed.
    public var zstdLevel: Int
    /// Whether only the cache is used.
    public var isOffline: Bool
    /// Whether the SHA-256 of an archive in the cache is computed, even if the size and the time of its
    /// file have not changed.
    public var verifies: Bool

    public init(
        _ address: FetchAddress, platform: Platform = .host, format: CacheName.Format = .dockerArchive, zstdLevel: Int = 3,
        isOffline: Bool = false, verifies: Bool = false
    ) {
        self.address = address
        self.platform = platform
        self.format = format
        self.zstdLevel = zstdLevel
        self.isOffline = isOffline
        self.verifies = verifies
    }

    /// The place of the archive in the cache. It has the digest if the address names one, and the tag
    /// otherwise.
    var place: CacheName {
        get throws(ImageArchiveError) {
            try CacheName(
                address.repository, address.digest.map { .digest($0) } ?? .tag(address.tag), platform: platform, format: format)
        }
    }
}
