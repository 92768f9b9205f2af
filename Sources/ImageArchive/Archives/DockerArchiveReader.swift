import ForeignText
public import ImageModel
public import SystemPackage

/// Reads a docker-archive, plain or compressed with gzip or Zstandard, made by this service, docker,
/// podman or skopeo.
public struct DockerArchiveReader: Sendable {
    private let path: FilePath
    private let limits: LayerLimits

    public init(_ path: FilePath, limits: LayerLimits = LayerLimits()) {
        self.path = path
        self.limits = limits
    }

    /// An image in the archive.
    public struct Image: Hashable, Sendable {
        /// The names that the engine gives to the image.
        public let names: [String]
        /// The digest of the configuration, which engines call the id of the image.
        public let id: ImageDigest
        public let configuration: ImageConfiguration
        /// The names of the layers' files, from the base up.
        public let layers: [String]
    }

    /// Returns the images in the archive. Reads only the beginning of an archive that has `manifest.json`
    /// and the configurations there.
    public func images() throws(ImageArchiveError) -> [Image] {
        var descriptions: [DockerArchiveManifest]?
        let first = try ArchiveScan(
            path, limits: limits,
            until: { scan in
                if descriptions == nil { descriptions = scan.kept[DockerArchiveManifest.fileName].flatMap { try? Self.decode($0) } }
                return descriptions?.allSatisfy { scan.kept[$0.configuration] != nil } ?? false
            },
            treating: { name in Self.isFirst(name, descriptions) ? .keep : .skip })
        guard let bytes = first.kept[DockerArchiveManifest.fileName] else {
            throw ImageArchiveError(.missing, "The archive has no manifest.json, so it is not a docker-archive.")
        }
        let found = try Self.decode(bytes)
        var configurations = first.kept
        let missing = Set(found.map(\.configuration)).subtracting(configurations.keys)
        if !missing.isEmpty {
            // The configurations came before manifest.json.
            configurations = try ArchiveScan(path, limits: limits, treating: { missing.contains($0) ? .keep : .skip }).kept
                .merging(configurations) { new, _ in new }
        }
        var images: [Image] = []
        for description in found {
            guard let configuration = configurations[description.configuration] else {
                throw ImageArchiveError(
                    .missing, "The archive lacks the configuration \(description.configuration.quoted), which manifest.json names.")
            }
            let content = try ImageArchiveError.checking { () throws(ImageProblem) in try ImageConfiguration(configuration) }
            guard content.diffIDs.count == description.layers.count else {
                throw ImageArchiveError(
                    .malformed,
                    "The archive has \(description.layers.count) layers, and the configuration of the image has \(content.diffIDs.count).")
            }
            images.append(
                Image(names: description.names, id: ImageDigest(of: configuration), configuration: content, layers: description.layers))
        }
        return images
    }

    /// Reads the whole archive and throws unless every layer has the digest that the configuration of its
    /// image names.
    public func verify() throws(ImageArchiveError) {
        let images = try images()
        var expected: [String: ImageDigest] = [:]
        for image in images { for (name, diffID) in zip(image.layers, image.configuration.diffIDs) { expected[name] = diffID } }
        let scan = try ArchiveScan(
            path, limits: limits, treating: { [expected] name in expected[name].map { .digest($0.algorithm) } ?? .skip })
        for (name, diffID) in expected.sorted(by: { $0.key < $1.key }) {
            guard let found = scan.digests[name] else {
                throw ImageArchiveError(.missing, "The archive lacks the layer \(name.quoted), which manifest.json names.")
            }
            guard found == diffID else {
                throw ImageArchiveError(
                    .digestMismatch, "The layer \(name.quoted) of the archive should have the digest \(diffID), and has \(found).")
            }
        }
    }

    /// Returns whether a file is kept in the first pass. Before manifest.json is read, only files after it
    /// can be known.
    private static func isFirst(_ name: String, _ descriptions: [DockerArchiveManifest]?) -> Bool {
        name == DockerArchiveManifest.fileName || descriptions?.contains { $0.configuration == name } ?? false
    }

    private static func decode(_ bytes: [UInt8]) throws(ImageArchiveError) -> [DockerArchiveManifest] {
        try ImageArchiveError.checking { () throws(ImageProblem) in
            try BoundedJSON.decode([DockerArchiveManifest].self, from: bytes, "manifest.json of the archive")
        }
    }
}
