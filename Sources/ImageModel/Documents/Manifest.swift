import ForeignText

/// A *manifest* lists the configuration and the layers of one image for one platform, or the content of
/// an artifact. OCI Image Manifest Specification, and Docker's "Image Manifest V 2, Schema 2".
public struct Manifest: Hashable, Sendable {
    /// The most layers. Engines cannot run an image with more than 127, but artifacts may have more.
    public static let mostLayers = 4096

    public var mediaType: MediaType
    public var configuration: Descriptor
    /// The layers, from the base up.
    public var layers: [Descriptor]
    /// The manifest that this one refers to, for example the image that an attestation is about.
    public var subject: Descriptor?
    public var artifactType: String?
    public var annotations: [String: String]

    public init(
        mediaType: MediaType = .ociManifest, configuration: Descriptor, layers: [Descriptor], subject: Descriptor? = nil,
        artifactType: String? = nil, annotations: [String: String] = [:]
    ) {
        self.mediaType = mediaType
        self.configuration = configuration
        self.layers = layers
        self.subject = subject
        self.artifactType = artifactType
        self.annotations = annotations
    }

    /// The bytes of all layers. It cannot overflow, because sizes and number of the layers are bounded.
    public var layerBytes: Int { layers.reduce(0) { $0 + $1.size } }
}

extension Manifest: Codable {
    private enum Key: String, CodingKey {
        case schemaVersion, mediaType, configuration = "config", layers, subject, artifactType, annotations
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        self.init(
            mediaType: try container.decodeIfPresent(MediaType.self, forKey: .mediaType) ?? .ociManifest,
            configuration: try container.decode(Descriptor.self, forKey: .configuration),
            layers: try container.decodeBounded(Descriptor.self, forKey: .layers, most: Self.mostLayers),
            subject: try container.decodeIfPresent(Descriptor.self, forKey: .subject),
            artifactType: try container.decodeIfPresent(String.self, forKey: .artifactType),
            annotations: try container.decodeIfPresent([String: String].self, forKey: .annotations) ?? [:])
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(2, forKey: .schemaVersion)
        try container.encode(mediaType, forKey: .mediaType)
        try container.encode(configuration, forKey: .configuration)
        try container.encode(layers, forKey: .layers)
        try container.encodeIfPresent(subject, forKey: .subject)
        try container.encodeIfPresent(artifactType, forKey: .artifactType)
        if !annotations.isEmpty { try container.encode(annotations, forKey: .annotations) }
    }
}
