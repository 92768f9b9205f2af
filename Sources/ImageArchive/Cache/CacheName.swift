public import ForeignText
public import ImageModel

/// The place of an archive in the download cache: `container-images/ARCH[/VARIANT]/NAME_VERSION.zst`.
///
/// It is the layout of isar's fetcher, so a cache can be shared with it. NAME is the image's name with
/// dots for slashes. VERSION is the digest with a hyphen for the colon, or the tag. Example:
/// `container-images/arm/v7/debian_sha256-6c3c….zst`.
///
/// Every part is a type that cannot lead to another directory.
public struct CacheName: Hashable, Sendable {
    /// The version of an image in a name.
    public enum Version: Hashable, Sendable {
        case digest(ImageDigest)
        case tag(ImageTag)

        var text: String {
            switch self {
            case .digest(let digest): "\(digest.algorithm.rawValue)-\(digest.hex)"
            case .tag(let tag): tag.text
            }
        }
    }

    /// The format of an archive.
    public enum Format: String, Hashable, Sendable, Codable, CaseIterable {
        case dockerArchive = "docker-archive"
        case ociArchive = "oci-archive"

        /// The suffix of the name. An OCI archive is not compressed, because its layers are.
        public var suffix: String {
            switch self {
            case .dockerArchive: ".zst"
            case .ociArchive: ".oci.tar"
            }
        }
    }

    let directories: [PathComponent]
    let file: PathComponent
    /// The image's name with dots for slashes.
    private let name: String
    public let format: Format

    /// Creates the place of an image.
    ///
    /// - Throws: `.unsupported` if a part is too long for the name of a file.
    public init(
        _ repository: ImageRepository, _ version: Version, platform: Platform, format: Format = .dockerArchive
    ) throws(ImageArchiveError) {
        self.format = format
        name = repository.familiarName.map { $0 == "/" ? "." : String($0) }.joined()
        directories = try (["container-images", platform.architecture] + [platform.variant].compactMap(\.self))
            .map { (part) throws(ImageArchiveError) in try Self.component(part) }
        file = try Self.component("\(name)_\(version.text)\(format.suffix)")
        // The longest name that is made from it.
        _ = try Self.component(".\(file).json.part")
    }

    /// Returns the name in a work directory: `NAME:TAG.zst`. Example: `debian:12.zst`.
    public func workName(tag: ImageTag) throws(ImageArchiveError) -> PathComponent {
        try Self.component("\(name):\(tag)\(format.suffix)")
    }

    private static func component(_ text: String) throws(ImageArchiveError) -> PathComponent {
        do throws(PathComponent.Problem) {
            return try PathComponent(text)
        } catch {
            throw ImageArchiveError(.unsupported, "\(text.quoted) \(error.reason).")
        }
    }

    /// The path below the root of the cache. Example: `container-images/amd64/debian_12.zst`.
    public var path: String { (directories + [file]).map(\.text).joined(separator: "/") }
}
