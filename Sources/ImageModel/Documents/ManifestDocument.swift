import ForeignText

/// A manifest or index with its exact bytes, and the digest of these bytes.
///
/// A registry stores the bytes, so they must never be written anew from the values.
public struct ManifestDocument: Hashable, Sendable {
    /// The most bytes of a document. It is distribution's limit for manifests.
    public static let mostBytes = BoundedJSON.mostBytes

    public enum Content: Hashable, Sendable {
        case manifest(Manifest)
        case index(ImageIndex)
    }

    public let content: Content
    public let mediaType: MediaType
    public let bytes: [UInt8]
    public let digest: ImageDigest

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - mediaType: The type by which the document was served. The document must not contradict it.
    ///   - digest: The digest that the bytes must have. Nil if it is not known before.
    /// - Throws: ``ImageProblem`` for other bytes, or a document that this service does not read.
    public init(_ bytes: [UInt8], mediaType: MediaType? = nil, digest expected: ImageDigest? = nil) throws(ImageProblem) {
        let digest = ImageDigest(of: bytes, expected?.algorithm ?? .sha256)
        guard expected == nil || expected == digest else {
            throw ImageProblem(.mismatch, "The manifest should have the digest \(expected?.description ?? ""), and has \(digest).")
        }
        let outline = try BoundedJSON.decode(Outline.self, from: bytes, "The manifest")
        let type = try outline.type(servedAs: mediaType)
        if type.isIndex {
            content = .index(try BoundedJSON.decode(ImageIndex.self, from: bytes, "The index"))
        } else {
            content = .manifest(try BoundedJSON.decode(Manifest.self, from: bytes, "The manifest"))
        }
        self.mediaType = type
        self.bytes = bytes
        self.digest = digest
    }

    public init(_ manifest: Manifest) {
        self.init(.manifest(manifest), manifest.mediaType, BoundedJSON.encode(manifest))
    }

    public init(_ index: ImageIndex) {
        self.init(.index(index), index.mediaType, BoundedJSON.encode(index))
    }

    private init(_ content: Content, _ mediaType: MediaType, _ bytes: [UInt8]) {
        self.content = content
        self.mediaType = mediaType
        self.bytes = bytes
        digest = ImageDigest(of: bytes)
    }

    /// The descriptor by which an index names this document.
    public func descriptor(platform: Platform? = nil, annotations: [String: String] = [:]) -> Descriptor {
        Descriptor(
            mediaType: mediaType, digest: digest, size: bytes.count, platform: platform, artifactType: artifactType,
            annotations: annotations)
    }

    /// The type of the artifact. If a manifest names none, it is the type of the configuration, unless
    /// that is an image's (OCI Distribution Specification, "Listing Referrers").
    private var artifactType: String? {
        guard case .manifest(let manifest) = content else { return nil }
        if let type = manifest.artifactType { return type }
        let isImage = [.ociConfiguration, .dockerConfiguration, .empty].contains(manifest.configuration.mediaType)
        return isImage ? nil : manifest.configuration.mediaType.rawValue
    }

    /// The members that tell the kinds of documents apart. A document that is two kinds at once is refused,
    /// because two readers could take it for different images (CVE-2021-41190).
    private struct Outline: Decodable {
        let schemaVersion: Int?
        let mediaType: MediaType?
        let isManifest: Bool
        let isIndex: Bool
        let isSchema1: Bool

        private enum Key: String, CodingKey { case schemaVersion, mediaType, config, layers, manifests, fsLayers, history }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            schemaVersion = try container.decodeIfPresent(Int.self, forKey: .schemaVersion)
            mediaType = try container.decodeIfPresent(MediaType.self, forKey: .mediaType)
            isManifest = container.contains(.config) || container.contains(.layers)
            isIndex = container.contains(.manifests)
            isSchema1 = container.contains(.fsLayers) || container.contains(.history)
        }

        func type(servedAs served: MediaType?) throws(ImageProblem) -> MediaType {
            if schemaVersion == 1 || isSchema1 || (mediaType ?? served)?.isSchema1 ?? false {
                throw ImageProblem(
                    .unsupported,
                    "The manifest has schema 1, which is not supported because its layers have no reliable digests. "
                        + "Push the image again with a current tool.")
            }
            guard isManifest != isIndex else {
                throw ImageProblem(
                    .badDocument,
                    isIndex ? "The manifest is a manifest and an index at once." : "The document is neither a manifest nor an index.")
            }
            // A server without knowledge of types sends application/json or another general type.
            let known = served.flatMap { $0.isManifest || $0.isIndex ? $0 : nil }
            let type = mediaType ?? known ?? (isIndex ? .ociIndex : .ociManifest)
            guard isIndex ? type.isIndex : type.isManifest else {
                throw ImageProblem(.unsupported, "The manifest has the type \(type), which is not the type of an image.")
            }
            guard known == nil || known == type else {
                throw ImageProblem(.badDocument, "The manifest has the type \(type), and was served as \(known?.rawValue ?? "").")
            }
            return type
        }
    }
}
