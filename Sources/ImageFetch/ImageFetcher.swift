public import ImageArchive
public import ImageModel
import NIOCore
public import NIOPosix
public import Registry
import SystemPackage

/// An image fetcher brings images from registries into a download cache, for builds without a network.
///
/// Example:
///
///     let image = try await fetcher.fetch(FetchRequest(try FetchAddress("docker://debian;tag=12")))
public struct ImageFetcher: Sendable {
    let registry: RegistryClient
    let cache: DownloadCache
    let threadPool: NIOThreadPool

    /// - Parameter threadPool: Reads, writes and compresses archives.
    public init(registry: RegistryClient, cache: DownloadCache, threadPool: NIOThreadPool) {
        self.registry = registry
        self.cache = cache
        self.threadPool = threadPool
    }

    /// Returns the image from the cache. Downloads it before if it is not there.
    ///
    /// A digest in the address decides, so an archive in the cache with this digest is used without asking
    /// the registry. Without a digest, the registry is asked for the tag's image of now.
    ///
    /// Fetches of one image at the same time, also by other processes, share one download. A download that
    /// was interrupted is continued.
    ///
    /// - Throws: ``FetchFailure``, or `CancellationError`.
    public func fetch(
        _ request: FetchRequest, progress: @escaping @Sendable (FetchProgress) -> Void = { _ in }
    ) async throws -> FetchedImage {
        do {
            let place = try request.place
            if let entry = try await hit(request, place, of: request.address.digest) {
                return FetchedImage(entry: entry, isHit: true, place: place)
            }
            guard !request.isOffline else { throw Self.absent(request, place) }
            let image = try await ImageResolution(request, registry)
            progress(.resolved(image.document.digest, layers: image.manifest.layers.count, bytes: image.manifest.layerBytes))
            if let entry = try await hit(request, place, of: image.document.digest) {
                return FetchedImage(entry: entry, isHit: true, place: place)
            }
            let lock = try await cache.lock(place)
            if let entry = try await hit(request, place, of: image.document.digest) {
                return FetchedImage(entry: entry, isHit: true, place: place)
            }
            let download = ArchiveDownload(
                image: image, request: request, registry: registry, threadPool: threadPool,
                partial: cache.partialDownloads(place), progress: progress)
            try await download.write(to: cache.newFile(place))
            let entry = try await threadPool.runIfActive {
                try cache.publish(place, image.document, tag: request.address.tag, index: image.index, under: lock)
            }
            return FetchedImage(entry: entry, isHit: false, place: place)
        } catch {
            throw FetchFailure.of(error)
        }
    }

    /// Returns the digest by which the address should name the image. Asks the registry, and downloads
    /// nothing.
    ///
    /// - Throws: ``FetchFailure``, or `CancellationError`.
    public func pin(_ request: FetchRequest) async throws -> ImageDigest {
        do {
            let image = try await ImageResolution(request, registry)
            return image.index ?? image.document.digest
        } catch {
            throw FetchFailure.of(error)
        }
    }

    /// Returns the archive in the cache if it can be used for the request.
    ///
    /// - Parameter digest: The digest that the image must have. `nil` for any, which only a request without
    ///   a digest that may not use the network accepts.
    private func hit(_ request: FetchRequest, _ place: CacheName, of digest: ImageDigest?) async throws -> DownloadCache.Entry? {
        guard digest != nil || request.isOffline else { return nil }
        guard let entry = try await threadPool.runIfActive({ try cache.entry(place, check: request.verifies ? .digest : .time) }) else {
            return nil
        }
        if let digest, !entry.record.describes(digest) { return nil }
        // The name of the image is part of a docker-archive, and the tag was compared with the digest before.
        return entry.record.tag == request.address.tag ? entry : nil
    }

    private static func absent(_ request: FetchRequest, _ place: CacheName) -> FetchFailure {
        FetchFailure(
            .offline,
            "\(request.address) for \(request.platform) is not in the cache as \(place.path), and nothing is downloaded offline. Fetch it once without --offline."
        )
    }
}
