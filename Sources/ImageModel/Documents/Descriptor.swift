import ForeignText

/// A *descriptor* refers to content by digest, size and type. OCI Content Descriptors Specification.
public struct Descriptor: Hashable, Sendable {
    /// The most bytes of one blob: 1 PiB. A sum of sizes in a manifest cannot overflow.
    public static let mostBytes = 1 << 50

    public var mediaType: MediaType
    public var digest: ImageDigest
    /// The number of bytes, between 0 and ``mostBytes``.
    public private(set) var size: Int
    /// The platform of an image in an index. Nil if the index has none, or one that no image can have.
    public var platform: Platform?
    /// The type of an artifact that a manifest describes.
    public var artifactType: String?
    public var annotations: [String: String]

    public init(
        mediaType: MediaType, digest: ImageDigest, size: Int, platform: Platform? = nil, artifactType: String? = nil,
        annotations: [String: String] = [:]
    ) {
        precondition((0...Self.mostBytes).contains(size), "The size of a blob is between 0 and 2^50")
        self.mediaType = mediaType
        self.digest = digest
        self.size = size
        self.platform = platform
        self.artifactType = artifactType
        self.annotations = annotations
    }

    /// Describes bytes.
    public init(
        of bytes: some Collection<UInt8>, mediaType: MediaType, platform: Platform? = nil, artifactType: String? = nil,
        annotations: [String: String] = [:]
    ) {
        self.init(
            mediaType: mediaType, digest: ImageDigest(of: bytes), size: bytes.count, platform: platform, artifactType: artifactType,
            annotations: annotations)
    }

    /// Throws ``ImageProblem`` if the bytes have another size or digest.
    public func verify(_ bytes: some Collection<UInt8>) throws(ImageProblem) {
        try verify(count: bytes.count, digest: ImageDigest(of: bytes, digest.algorithm))
    }

    /// Throws ``ImageProblem`` if content with this size and digest is other content.
    public func verify(count: Int, digest found: ImageDigest) throws(ImageProblem) {
        guard count == size else {
            throw ImageProblem(.mismatch, "\(digest) should have \(size) bytes, and has \(count).")
        }
        guard found == digest else { throw ImageProblem(.mismatch, "Content that should have the digest \(digest) has \(found).") }
    }
}

extension Descriptor: Codable {
    private enum Key: String, CodingKey { case mediaType, digest, size, platform, artifactType, annotations }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let size = try container.decode(Int.self, forKey: .size)
        guard (0...Self.mostBytes).contains(size) else {
            throw DecodingError.dataCorruptedError(
                forKey: .size, in: container, debugDescription: "No blob has \(size) bytes, the limits are 0 and 2^50")
        }
        self.init(
            mediaType: try container.decode(MediaType.self, forKey: .mediaType),
            digest: try container.decode(ImageDigest.self, forKey: .digest), size: size,
            // An index may have entries that are no images, with empty or strange platforms. They are never
            // chosen.
            platform: try? container.decodeIfPresent(Platform.self, forKey: .platform),
            artifactType: try container.decodeIfPresent(String.self, forKey: .artifactType),
            annotations: try container.decodeIfPresent([String: String].self, forKey: .annotations) ?? [:])
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(mediaType, forKey: .mediaType)
        try container.encode(digest, forKey: .digest)
        try container.encode(size, forKey: .size)
        try container.encodeIfPresent(platform, forKey: .platform)
        try container.encodeIfPresent(artifactType, forKey: .artifactType)
        if !annotations.isEmpty { try container.encode(annotations, forKey: .annotations) }
    }
}
