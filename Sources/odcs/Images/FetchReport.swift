import ImageArchive
import ImageFetch
import ImageModel
import SystemPackage

/// The result of `odcs fetch` for one image.
struct FetchReport: Encodable {
    /// The address with the digest by which a build should name the image.
    let address: String
    /// The digest of the manifest for the platform.
    let digest: String
    /// The digest for the address: that of the index if there is one.
    let pin: String
    let platform: String
    let format: String
    /// The archive in the cache.
    let cache: String
    /// The archive in the work directory.
    let file: String
    /// `hardLink`, `reflink` or `copy`.
    let delivery: String
    /// Whether the archive was in the cache before.
    let hit: Bool

    init(_ request: FetchRequest, _ image: FetchedImage, file: FilePath, _ delivery: DownloadCache.Delivery) {
        address = request.address.pinned(to: request.address.digest ?? image.pin).description
        digest = image.digest.description
        pin = image.pin.description
        platform = request.platform.description
        format = request.format.rawValue
        cache = image.entry.path.string
        self.file = file.string
        self.delivery = delivery.rawValue
        hit = image.isHit
    }

    var text: String {
        let rows = [
            ["  digest", digest], ["  cache", cache + (hit ? " (was there)" : "")],
            ["  file", file + (delivery == DownloadCache.Delivery.hardLink.rawValue ? "" : " (a copy)")],
        ]
        return "\(address) for \(platform)\n\(Table(rows: rows).text())"
    }
}
