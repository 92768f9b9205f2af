import ForeignText

/// The *configuration* of an image: its platform, the digests of its uncompressed layers, and how each
/// layer came about. OCI Image Configuration Specification.
///
/// It has only the members that this service needs. The exact bytes belong to the image.
public struct ImageConfiguration: Hashable, Sendable, Decodable {
    /// A step by which the image was made.
    public struct Step: Hashable, Sendable, Decodable {
        /// The instruction, for example `RUN dnf -y install httpd`.
        public let createdBy: String?
        /// Whether the step made no layer.
        public let isEmpty: Bool

        private enum Key: String, CodingKey { case createdBy = "created_by", isEmpty = "empty_layer" }

        public init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            createdBy = try container.decodeIfPresent(String.self, forKey: .createdBy)
            isEmpty = try container.decodeIfPresent(Bool.self, forKey: .isEmpty) ?? false
        }
    }

    public let platform: Platform
    /// The digests of the uncompressed layers, from the base up.
    public let diffIDs: [ImageDigest]
    public let history: [Step]
    public let labels: [String: String]
    /// The instructions that run when another image is built on this one. Example: `RUN make`. Only images
    /// of docker have them.
    public let triggers: [String]
    /// The time of the build, as the image says it. Example: `2026-11-28T12:00:00Z`.
    public let created: String?

    /// Reads a configuration. Throws ``ImageProblem`` if it cannot be used.
    public init(_ bytes: [UInt8]) throws(ImageProblem) {
        self = try BoundedJSON.decode(Self.self, from: bytes, "The configuration of the image")
    }

    private enum Key: String, CodingKey { case rootFS = "rootfs", history, config, created }
    private enum RootKey: String, CodingKey { case type, diffIDs = "diff_ids" }
    private enum ConfigKey: String, CodingKey { case labels = "Labels", triggers = "OnBuild" }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        platform = try Platform(from: decoder)
        diffIDs = try container.nestedContainer(keyedBy: RootKey.self, forKey: .rootFS)
            .decodeBounded(ImageDigest.self, forKey: .diffIDs, most: Manifest.mostLayers)
        history = try container.decodeBounded(Step.self, forKey: .history, most: 4 * Manifest.mostLayers)
        created = try container.decodeIfPresent(String.self, forKey: .created)
        let hasConfig = try container.contains(.config) && !container.decodeNil(forKey: .config)
        let config = hasConfig ? try container.nestedContainer(keyedBy: ConfigKey.self, forKey: .config) : nil
        labels = try config?.decodeIfPresent([String: String].self, forKey: .labels) ?? [:]
        triggers = try config?.decodeIfPresent([String].self, forKey: .triggers) ?? []
    }

    /// Throws ``ImageProblem`` if the manifest has another number of layers than the configuration.
    public func verify(_ manifest: Manifest) throws(ImageProblem) {
        guard manifest.layers.count == diffIDs.count else {
            throw ImageProblem(
                .badDocument,
                "The manifest has \(manifest.layers.count) layers, and the configuration of the image has \(diffIDs.count).")
        }
    }
}
