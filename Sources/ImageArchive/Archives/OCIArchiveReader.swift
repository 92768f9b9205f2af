public import ImageModel
public import SystemPackage

/// Reads an OCI archive with the image of one platform, plain or compressed.
public struct OCIArchiveReader: Sendable {
    private let path: FilePath
    private let limits: LayerLimits

    public init(_ path: FilePath, limits: LayerLimits = LayerLimits()) {
        self.path = path
        self.limits = limits
    }

    /// Returns the manifest of the image, with its exact bytes.
    public func manifest() throws(ImageArchiveError) -> ManifestDocument {
        guard let index = try keep("index.json") else {
            throw ImageArchiveError(.missing, "The archive has no index.json, so it is not an OCI archive.")
        }
        let document = try ImageArchiveError.checking { () throws(ImageProblem) in try ManifestDocument(index) }
        guard case .index(let content) = document.content, content.manifests.count == 1, let descriptor = content.manifests.first else {
            throw ImageArchiveError(.unsupported, "The archive has several images or none. Archives with one image are read.")
        }
        let name = OCILayout.path(of: descriptor.digest)
        guard let bytes = try keep(name) else {
            throw ImageArchiveError(.missing, "The archive lacks the manifest \(descriptor.digest), which its index names.")
        }
        return try ImageArchiveError.checking { () throws(ImageProblem) in
            try ManifestDocument(bytes, mediaType: descriptor.mediaType, digest: descriptor.digest)
        }
    }

    /// Reads the whole archive and throws unless every blob of the image is there with its digest.
    public func verify() throws(ImageArchiveError) {
        guard case .manifest(let manifest) = try manifest().content else {
            throw ImageArchiveError(.unsupported, "The archive has an index of images, which is not read.")
        }
        var expected: [String: ImageDigest] = [:]
        for blob in [manifest.configuration] + manifest.layers { expected[OCILayout.path(of: blob.digest)] = blob.digest }
        let scan = try ArchiveScan(
            path, limits: limits, treating: { [expected] name in expected[name].map { .digest($0.algorithm) } ?? .skip })
        for (name, digest) in expected.sorted(by: { $0.key < $1.key }) {
            guard let found = scan.digests[name] else { throw ImageArchiveError(.missing, "The archive lacks the blob \(digest).") }
            guard found == digest else {
                throw ImageArchiveError(.digestMismatch, "A blob of the archive should have the digest \(digest), and has \(found).")
            }
        }
    }

    private func keep(_ name: String) throws(ImageArchiveError) -> [UInt8]? {
        try ArchiveScan(
            path, limits: limits, until: { $0.kept[name] != nil }, treating: { $0 == name ? .keep : .skip }
        ).kept[name]
    }
}
