public import ImageArchive
public import ImageModel

/// An image that is in the download cache.
public struct FetchedImage: Hashable, Sendable {
    public let entry: DownloadCache.Entry
    /// Whether the archive was in the cache before.
    public let isHit: Bool
    /// The place in the cache, from which the name in a work directory follows.
    public let place: CacheName

    /// The digest of the manifest for the platform.
    public var digest: ImageDigest { entry.record.digest }

    /// The digest by which a build system should name the image. It is that of the index, if there is one,
    /// so that one line serves every architecture.
    public var pin: ImageDigest { entry.record.indexDigest ?? digest }
}

/// The progress of a fetch.
public enum FetchProgress: Hashable, Sendable {
    /// The registry has described the image.
    case resolved(ImageDigest, layers: Int, bytes: Int)
    /// So many bytes of a layer have arrived since the last report.
    case received(bytes: Int)
    /// A layer was written into the archive. The first one has the number 1.
    case packed(layer: Int)
}
