public import ImageModel
public import SystemPackage

/// Writes an OCI archive: a tar archive of an image layout (OCI Image Layout Specification), plain.
///
/// The blobs and the manifest are written as they are. So the digest of the image stays the same.
/// Equal images give equal archives.
public final class OCIArchiveWriter: ArchiveWriter {
    private let file: ArchiveFile
    private let tar: TarWriter
    private var remaining: ArraySlice<Descriptor>
    private var digest: RunningDigest?

    /// Creates the archive, or replaces it.
    ///
    /// - Parameters:
    ///   - document: the manifest of one image.
    ///   - configuration: the bytes of the image's configuration.
    ///   - tag: the value of the annotation `org.opencontainers.image.ref.name`.
    public init(
        _ path: FilePath, _ document: ManifestDocument, configuration: [UInt8], tag: ImageTag?
    ) throws(ImageArchiveError) {
        guard case .manifest(let manifest) = document.content else {
            throw ImageArchiveError(.unsupported, "\(document.digest) is an index. An archive has the image of one platform.")
        }
        try ImageArchiveError.checking { () throws(ImageProblem) in try manifest.configuration.verify(configuration) }
        var seen = Set([manifest.configuration.digest])
        remaining = manifest.layers.filter { seen.insert($0.digest).inserted }[...]
        file = try ArchiveFile(path, zstdLevel: nil)
        tar = TarWriter(to: file)
        let annotations = tag.map { ["org.opencontainers.image.ref.name": $0.text] } ?? [:]
        let index = ManifestDocument(ImageIndex(manifests: [document.descriptor(annotations: annotations)]))
        try add("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
        try add("index.json", index.bytes)
        try add(OCILayout.path(of: document.digest), document.bytes)
        try add(OCILayout.path(of: manifest.configuration.digest), configuration)
    }

    public var nextBlob: Descriptor? { remaining.first }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) {
        let blob = try begin()
        digest?.update(bytes)
        guard let digest, digest.count <= blob.size else {
            throw ImageArchiveError(.digestMismatch, "The layer \(blob.digest) has more than \(blob.size) bytes, the size in the manifest.")
        }
        try file.write(bytes)
    }

    public func endBlob() throws(ImageArchiveError) {
        let blob = try begin()
        guard let digest else { return }
        try ImageArchiveError.checking { () throws(ImageProblem) in try blob.verify(count: digest.count, digest: digest.digest) }
        try tar.end(size: blob.size)
        remaining = remaining.dropFirst()
        self.digest = nil
    }

    public func finish() throws(ImageArchiveError) {
        if let nextBlob { throw ImageArchiveError(.missing, "The layer \(nextBlob.digest) was not written into the archive.") }
        try tar.finish()
        try file.finish()
    }

    private func begin() throws(ImageArchiveError) -> Descriptor {
        guard let blob = remaining.first else {
            throw ImageArchiveError(.malformed, "The archive has all layers of the image already.")
        }
        if digest == nil {
            digest = RunningDigest(blob.digest.algorithm)
            try tar.begin(TarEntry(file: OCILayout.path(of: blob.digest), size: blob.size))
        }
        return blob
    }

    private func add(_ name: String, _ bytes: [UInt8]) throws(ImageArchiveError) {
        try tar.add(TarEntry(file: name, size: bytes.count), bytes)
    }
}

/// The names of files in an image layout.
enum OCILayout {
    static func path(of digest: ImageDigest) -> String { "blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }
}
