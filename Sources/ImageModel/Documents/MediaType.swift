import ForeignText

/// The type of a document or blob, for example `application/vnd.oci.image.manifest.v1+json`.
public struct MediaType: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }

    /// Creates the type from a header `Content-Type`, without parameters such as `charset`.
    public init(contentType: String) {
        let type = contentType.prefix { $0 != ";" }
        self.init(rawValue: type.filter { !$0.isWhitespace }.lowercased())
    }

    public static let ociManifest = MediaType(rawValue: "application/vnd.oci.image.manifest.v1+json")
    public static let ociIndex = MediaType(rawValue: "application/vnd.oci.image.index.v1+json")
    public static let ociConfiguration = MediaType(rawValue: "application/vnd.oci.image.config.v1+json")
    public static let ociLayer = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar")
    public static let ociGzipLayer = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+gzip")
    public static let ociZstdLayer = MediaType(rawValue: "application/vnd.oci.image.layer.v1.tar+zstd")
    /// The configuration of an artifact that has none (OCI Image Manifest Specification, "Guidance for an
    /// Empty Descriptor").
    public static let empty = MediaType(rawValue: "application/vnd.oci.empty.v1+json")
    public static let dockerManifest = MediaType(rawValue: "application/vnd.docker.distribution.manifest.v2+json")
    public static let dockerIndex = MediaType(rawValue: "application/vnd.docker.distribution.manifest.list.v2+json")
    public static let dockerConfiguration = MediaType(rawValue: "application/vnd.docker.container.image.v1+json")
    public static let dockerLayer = MediaType(rawValue: "application/vnd.docker.image.rootfs.diff.tar.gzip")

    /// The types of documents that this service reads, in the order of preference.
    public static let manifests: [MediaType] = [.ociIndex, .dockerIndex, .ociManifest, .dockerManifest]

    public var isManifest: Bool { self == .ociManifest || self == .dockerManifest }
    public var isIndex: Bool { self == .ociIndex || self == .dockerIndex }
    /// Whether the type is schema 1, which Docker gave up in 2017.
    public var isSchema1: Bool { rawValue.hasPrefix("application/vnd.docker.distribution.manifest.v1+") }

    /// The compression of a layer.
    public enum LayerCompression: Hashable, Sendable { case none, gzip, zstd }

    /// The compression of the layer, or nil if the type is not that of a layer. Layers that are not to be
    /// distributed count as layers too.
    public var layerCompression: LayerCompression? {
        let prefixes = ["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs."]
        guard prefixes.contains(where: rawValue.hasPrefix) else { return nil }
        if rawValue.hasSuffix("gzip") { return .gzip }
        if rawValue.hasSuffix("zstd") { return .zstd }
        return rawValue.hasSuffix("tar") ? LayerCompression.none : nil
    }

    public var description: String { rawValue.printable(most: 100) }
}

extension MediaType: Codable {
    public init(from decoder: any Decoder) throws {
        self.init(rawValue: try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rawValue)
    }
}
