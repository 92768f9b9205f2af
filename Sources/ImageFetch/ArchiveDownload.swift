import Glibc
import ImageArchive
import ImageModel
import NIOCore
import NIOPosix
import Registry
import SystemPackage

/// The download of one image into an archive. The bytes of a layer are packed while more of them
/// arrive.
struct ArchiveDownload: Sendable {
    let image: ImageResolution
    let request: FetchRequest
    let registry: RegistryClient
    let threadPool: NIOThreadPool
    /// The directory for layers that are not complete. They outlive an interruption.
    let partial: FilePath
    let progress: @Sendable (FetchProgress) -> Void

    /// Writes the archive. The layers' files are removed when it is complete.
    func write(to path: FilePath) async throws {
        guard mkdir(partial.string, 0o755) == 0 || errno == EEXIST else {
            throw FetchFailure(.image, "The cache cannot be written (\(Errno(rawValue: errno))).")
        }
        let writer = try await threadPool.runIfActive { PackedArchive(try makeWriter(path)) }
        for (index, layer) in Self.distinct(image.manifest.layers).enumerated() {
            try await download(layer, into: writer)
            progress(.packed(layer: index + 1))
        }
        try await threadPool.runIfActive {
            try writer.archive.finish()
            try removeFiles()
        }
    }

    private func makeWriter(_ path: FilePath) throws -> any ArchiveWriter {
        let address = request.address
        let name = ImageReference(address.repository, tag: address.tag)
        switch request.format {
        case .dockerArchive:
            return try DockerArchiveWriter(
                path, image.manifest, configuration: image.configuration, names: [name.familiarName], zstdLevel: request.zstdLevel)
        case .ociArchive:
            return try OCIArchiveWriter(path, image.document, configuration: image.configuration, tag: address.tag)
        }
    }

    /// Downloads a layer, or the rest of it, and packs it.
    private func download(_ layer: Descriptor, into writer: PackedArchive) async throws {
        let file = LayerFile(layer: layer, path: partial.appending("\(layer.digest.algorithm.rawValue)-\(layer.digest.hex)"))
        let (descriptor, have) = try await threadPool.runIfActive {
            writer.begin(layer)
            return try file.open { writer.write($0) }
        }
        defer { close(descriptor.rawValue) }
        progress(.received(bytes: have.count))
        do {
            try await registry.blob(layer, of: request.address.repository, after: have, on: threadPool) { bytes in
                _ = try descriptor.writeAll(bytes)
                writer.write(bytes)
                progress(.received(bytes: bytes.count))
            }
        } catch let failure as RegistryFailure where failure.code == .mismatch {
            // Another attempt begins anew.
            unlink(file.path.string)
            throw failure
        }
        try await threadPool.runIfActive { try writer.end() }
    }

    private func removeFiles() throws {
        for layer in image.manifest.layers {
            unlink(partial.appending("\(layer.digest.algorithm.rawValue)-\(layer.digest.hex)").string)
        }
        rmdir(partial.string)
    }

    /// An image may have one layer several times, such as the empty one.
    private static func distinct(_ layers: [Descriptor]) -> [Descriptor] {
        var seen: Set<ImageDigest> = []
        return layers.filter { seen.insert($0.digest).inserted }
    }
}

/// The file of a layer as it arrives from the registry.
private struct LayerFile: Sendable {
    let layer: Descriptor
    let path: FilePath

    /// Opens the file for appending, and reads the bytes that it has. Returns it with their digest.
    func open(
        _ receive: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> (SystemPackage.FileDescriptor, RunningDigest) {
        let file = try SystemPackage.FileDescriptor.open(
            path, .readWrite, options: [.create, .append, .closeOnExec, .noFollow],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        do {
            // If it has more bytes than the layer, it is another file.
            if try file.seek(offset: 0, from: .end) > layer.size {
                guard ftruncate(file.rawValue, 0) == 0 else { throw Errno(rawValue: errno) }
            }
            var digest = RunningDigest(layer.digest.algorithm)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
            defer { buffer.deallocate() }
            while case let count = try file.read(fromAbsoluteOffset: Int64(digest.count), into: buffer), count > 0 {
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                digest.update(bytes)
                try receive(bytes)
            }
            return (file, digest)
        } catch {
            close(file.rawValue)
            throw error
        }
    }
}

/// An archive that is written by one thread at a time. Each layer is added after the one before.
///
/// A layer that cannot be packed fails at its end. So if its digest is wrong, that is reported.
private final class PackedArchive: @unchecked Sendable {
    let archive: any ArchiveWriter
    /// Whether the archive does not have the layer yet.
    private var isNew = false
    private var failure: (any Error)?

    init(_ archive: any ArchiveWriter) {
        self.archive = archive
    }

    /// Begins a layer, which must be the next one of the archive.
    func begin(_ layer: Descriptor) {
        // A layer that differs only in its compression is in a docker-archive already.
        isNew = archive.nextBlob?.digest == layer.digest
    }

    func write(_ bytes: UnsafeRawBufferPointer) {
        guard isNew, failure == nil else { return }
        do { try archive.write(bytes) } catch { failure = error }
    }

    func end() throws {
        if let failure { throw failure }
        if isNew { try archive.endBlob() }
    }
}
