import ForeignText

/// An *index*, or manifest list, names the manifests of one image for several platforms. It is also the
/// list of referrers of a digest. OCI Image Index Specification, and Docker's "Manifest List".
public struct ImageIndex: Hashable, Sendable {
    public static let mostManifests = 10_000

    public var mediaType: MediaType
    public var manifests: [Descriptor]
    public var annotations: [String: String]

    public init(mediaType: MediaType = .ociIndex, manifests: [Descriptor], annotations: [String: String] = [:]) {
        self.mediaType = mediaType
        self.manifests = manifests
        self.annotations = annotations
    }

    /// The platforms of the index, sorted. Entries that are no images, for example attestations, have none.
    public var platforms: [Platform] { Set(images.compactMap(\.platform)).sorted() }

    /// Returns the manifest for exactly this platform. No other variant is chosen instead.
    ///
    /// - Throws: ``ImageProblem`` if the index lacks the platform, or if the entry is an index itself. It
    ///   names the platforms that the index has.
    public func manifest(for platform: Platform) throws(ImageProblem) -> Descriptor {
        guard let found = images.first(where: { $0.platform == platform }) else {
            let names = platforms.prefix(20).map(\.description).joined(separator: ", ")
            throw ImageProblem(
                .platformNotFound,
                "The image has nothing for \(platform). "
                    + (names.isEmpty ? "It names no platforms." : "It has \(names)\(platforms.count > 20 ? ", …" : "")."))
        }
        guard found.mediaType.isManifest else {
            throw ImageProblem(
                .unsupported,
                "The entry of the image for \(platform) has the type \(found.mediaType). Only manifests of images can be used there.")
        }
        return found
    }

    /// The entries but for attestations of BuildKit, which are marked by an annotation.
    private var images: [Descriptor] { manifests.filter { $0.annotations["vnd.docker.reference.type"] == nil } }
}

extension ImageIndex: Codable {
    private enum Key: String, CodingKey { case schemaVersion, mediaType, manifests, annotations }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        guard container.contains(.manifests) else {
            throw DecodingError.keyNotFound(Key.manifests, .init(codingPath: decoder.codingPath, debugDescription: ""))
        }
        self.init(
            mediaType: try container.decodeIfPresent(MediaType.self, forKey: .mediaType) ?? .ociIndex,
            manifests: try container.decodeBounded(Descriptor.self, forKey: .manifests, most: Self.mostManifests),
            annotations: try container.decodeIfPresent([String: String].self, forKey: .annotations) ?? [:])
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(2, forKey: .schemaVersion)
        try container.encode(mediaType, forKey: .mediaType)
        try container.encode(manifests, forKey: .manifests)
        if !annotations.isEmpty { try container.encode(annotations, forKey: .annotations) }
    }
}
