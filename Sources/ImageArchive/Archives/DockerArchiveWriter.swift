public import ImageModel
public import SystemPackage

/// Writes a docker-archive in one pass, as `docker load` and `podman load` read it: each layer is
/// verified, decompressed and written.
///
/// The file is compressed with Zstandard, or plain. `manifest.json` and the configuration come first,
/// so a reader that only needs the names reads little. Equal images give equal archives.
public final class DockerArchiveWriter: ArchiveWriter {
    private let file: ArchiveFile
    private let tar: TarWriter
    private let limits: LayerLimits
    private var remaining: ArraySlice<(layer: Descriptor, diffID: ImageDigest)>
    private var current: (decoder: LayerDecoder, header: Int)?

    /// Creates the archive, or replaces it.
    ///
    /// - Parameters:
    ///   - configuration: the bytes of the image's configuration, which the manifest names.
    ///   - names: the names that the engine gives to the image. Example: `registry.example.org/web:1`.
    ///   - zstdLevel: a level from 1 to 22, or `nil` for a plain file.
    public init(
        _ path: FilePath, _ manifest: Manifest, configuration: [UInt8], names: [String], zstdLevel: Int? = 3,
        limits: LayerLimits = LayerLimits()
    ) throws(ImageArchiveError) {
        self.limits = limits
        let diffIDs = try ImageArchiveError.checking { () throws(ImageProblem) in
            try manifest.configuration.verify(configuration)
            let content = try ImageConfiguration(configuration)
            try content.verify(manifest)
            return content.diffIDs
        }
        var seen: Set<ImageDigest> = []
        // Images may have one layer several times, such as the empty one.
        remaining = zip(manifest.layers, diffIDs).filter { seen.insert($1).inserted }.map { (layer: $0, diffID: $1) }[...]
        file = try ArchiveFile(path, zstdLevel: zstdLevel)
        tar = TarWriter(to: file)
        let description = DockerArchiveManifest(configuration: manifest.configuration.digest, names: names, layers: diffIDs)
        let bytes = description.bytes
        try tar.add(TarEntry(file: DockerArchiveManifest.fileName, size: bytes.count), bytes)
        try tar.add(TarEntry(file: description.configuration, size: configuration.count), configuration)
    }

    public var nextBlob: Descriptor? { remaining.first?.layer }

    public func write(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) {
        try begin().read(bytes) { (plain) throws(ImageArchiveError) in try file.write(plain) }
    }

    public func endBlob() throws(ImageArchiveError) {
        let decoder = try begin()
        let summary = try decoder.finish { (plain) throws(ImageArchiveError) in try file.write(plain) }
        guard let (layer, diffID) = remaining.popFirst(), let header = current?.header else { return }
        current = nil
        guard summary.diffID == diffID else {
            throw ImageArchiveError(
                .digestMismatch,
                "The layer \(layer.digest) has the digest \(summary.diffID?.description ?? "none") when uncompressed, but the image's configuration says \(diffID)."
            )
        }
        try tar.end(size: summary.plainSize)
        try file.fill(
            TarWriter.block(TarEntry(file: DockerArchiveManifest.layerName(diffID), size: summary.plainSize)), at: header)
    }

    public func finish() throws(ImageArchiveError) {
        if let nextBlob { throw ImageArchiveError(.missing, "The layer \(nextBlob.digest) was not written into the archive.") }
        try tar.finish()
        try file.finish()
    }

    /// Returns the decoder of the current layer. The size of the uncompressed layer is known only at its
    /// end, so the place of its header stays free until then.
    private func begin() throws(ImageArchiveError) -> LayerDecoder {
        if let current { return current.decoder }
        guard let (layer, diffID) = remaining.first else {
            throw ImageArchiveError(.malformed, "The archive has all layers of the image already.")
        }
        let decoder = try LayerDecoder(layer, limits: limits, diffAlgorithm: diffID.algorithm)
        current = (decoder, try file.reserveBlock())
        return decoder
    }
}
