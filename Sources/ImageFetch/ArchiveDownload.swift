import Glibc
import ImageArchive
import ImageModel
import NIOCore
import NIOPosix
import Registry
import SystemPackage

/// The download of one image into an archive. While one layer is packed, the next one arrives.
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
        try await withThrowingTaskGroup(of: LayerFile.self) { group in
            var layers = Self.distinct(image.manifest.layers)[...]
            func startNext() {
                guard let layer = layers.popFirst() else { return }
                group.addTask { try await download(layer) }
            }
            startNext()
            var number = 0
            while let file = try await group.next() {
                startNext()
                number += 1
                try await threadPool.runIfActive { try writer.add(file) }
                progress(.packed(layer: number))
            }
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

    /// Downloads a layer, or the rest of it.
    private func download(_ layer: Descriptor) async throws -> LayerFile {
        let file = LayerFile(layer: layer, path: partial.appending("\(layer.digest.algorithm.rawValue)-\(layer.digest.hex)"))
        let (descriptor, have) = try await threadPool.runIfActive { try file.open() }
        defer { close(descriptor.rawValue) }
        progress(.received(bytes: have.count))
        do {
            try await registry.blob(layer, of: request.address.repository, after: have) { bytes in
                let count = bytes.readableBytes
                try await threadPool.runIfActive {
                    _ = try bytes.readableBytesView.withUnsafeBytes { try descriptor.writeAll($0) }
                }
                progress(.received(bytes: count))
            }
        } catch let failure as RegistryFailure where failure.code == .mismatch {
            // Another attempt begins anew.
            unlink(file.path.string)
            throw failure
        }
        return file
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

    /// Opens the file for appending. Returns it with the digest of the bytes that it has.
    func open() throws -> (SystemPackage.FileDescriptor, RunningDigest) {
        let file = try SystemPackage.FileDescriptor.open(
            path, .readWrite, options: [.create, .append, .closeOnExec, .noFollow],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        do {
            var digest = RunningDigest(layer.digest.algorithm)
            try read(file) { digest.update($0) }
            if digest.count <= layer.size { return (file, digest) }
            // It has more bytes than the layer, so it is another file.
            guard ftruncate(file.rawValue, 0) == 0 else { throw Errno(rawValue: errno) }
            return (file, RunningDigest(layer.digest.algorithm))
        } catch {
            close(file.rawValue)
            throw error
        }
    }

    func read(_ receive: (UnsafeRawBufferPointer) throws -> Void) throws {
        let file = try SystemPackage.FileDescriptor.open(path, .readOnly, options: .closeOnExec)
        defer { close(file.rawValue) }
        try read(file, receive)
    }

    private func read(_ file: SystemPackage.FileDescriptor, _ receive: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset = 0
        while case let count = try file.read(fromAbsoluteOffset: Int64(offset), into: buffer), count > 0 {
            try receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += count
        }
    }
}

/// An archive that is written by one thread at a time. Each layer is added after the one before.
private final class PackedArchive: @unchecked Sendable {
    let archive: any ArchiveWriter

    init(_ archive: any ArchiveWriter) {
        self.archive = archive
    }

    /// Adds a layer, which must be the next one of the archive.
    func add(_ file: LayerFile) throws {
        // A layer that differs only in its compression is in a docker-archive already.
        guard archive.nextBlob?.digest == file.layer.digest else { return }
        try file.read { try archive.write($0) }
        try archive.endBlob()
    }
}
