import Foundation
import ImageModel

/// One image in the file `manifest.json` of a docker-archive (moby's "Docker Image Specification
/// v1.2", "Combined Image JSON + Filesystem Changeset Format").
public struct DockerArchiveManifest: Hashable, Sendable, Codable {
    /// The name of the configuration's file in the archive.
    public let configuration: String
    /// The names of the image. Example: `registry.example.org/web:1`.
    public let names: [String]
    /// The names of the layers' files in the archive, from the base up.
    public let layers: [String]

    enum CodingKeys: String, CodingKey {
        case configuration = "Config", names = "RepoTags", layers = "Layers"
    }

    init(configuration: ImageDigest, names: [String], layers: [ImageDigest]) {
        self.configuration = configuration.hex + ".json"
        self.names = names
        self.layers = layers.map(Self.layerName)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        configuration = try container.decode(String.self, forKey: .configuration)
        names = try container.decodeIfPresent([String].self, forKey: .names) ?? []
        layers = try container.decodeIfPresent([String].self, forKey: .layers) ?? []
    }

    static let fileName = "manifest.json"

    /// Returns the name of a layer's file, as skopeo and podman choose it.
    static func layerName(_ diffID: ImageDigest) -> String { diffID.hex + ".tar" }

    /// The bytes of the file. They are the same for equal values.
    var bytes: [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts and lists of texts can always be written.
        return (try? encoder.encode([self])).map { Array($0) } ?? []
    }
}
