public import BuildNodes
import Foundation
import ImageArchive
public import ImageModel
import NIOPosix
public import Registry
public import SystemPackage

/// An *archive upload* brings the image of a docker-archive into a registry. It is used for nodes that
/// cannot reach the registry. The layers are uploaded as they are, without compression.
public struct ArchiveUpload: Sendable {
    private let registry: RegistryClient

    public init(registry: RegistryClient) { self.registry = registry }

    /// Uploads the one image of an archive. Returns the digest of its manifest.
    ///
    /// - Throws: `NodeFailure` if the archive cannot be used, or `RegistryFailure`.
    public func upload(_ archive: FilePath, to target: PushTarget) async throws -> ImageDigest {
        let directory = FilePath("\(archive.string).d")
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        // At worst the next start of the worker removes it.
        defer { try? FileManager.default.removeItem(atPath: directory.string) }
        let parts: ArchiveParts
        do {
            parts = try await NIOThreadPool.singleton.runIfActive { try ArchiveParts(archive, in: directory) }
        } catch let error as ImageArchiveError {
            throw NodeFailure(.node, "The image that the node sends cannot be used. \(error.message)")
        }
        var layers: [Descriptor] = []
        for (file, digest, size) in parts.layers {
            let layer = Descriptor(mediaType: .ociLayer, digest: digest, size: size)
            let descriptor = try FileDescriptor.open(file, .readOnly, options: .closeOnExec)
            let result: Result<Void, any Error>
            do {
                try await registry.upload(layer, to: target.repository, FileContent(descriptor))
                result = .success(())
            } catch {
                result = .failure(error)
            }
            try descriptor.close()
            try result.get()
            layers.append(layer)
        }
        let configuration = Descriptor(of: parts.configuration, mediaType: .ociConfiguration)
        try await registry.upload(configuration, to: target.repository, BytesContent(parts.configuration))
        let document = ManifestDocument(Manifest(configuration: configuration, layers: layers))
        _ = try await registry.put(document, to: target.repository, tag: target.tag)
        return document.digest
    }
}

/// The configuration and the layers of a docker-archive.
private struct ArchiveParts: Sendable {
    let configuration: [UInt8]
    let layers: [(file: FilePath, digest: ImageDigest, size: Int)]

    /// Unpacks the layers into files of a directory. Their digests are those that the configuration names.
    init(_ archive: FilePath, in directory: FilePath) throws {
        let images = try DockerArchiveReader(archive).images()
        guard images.count == 1, let image = images.first else {
            throw NodeFailure(.node, "The archive that the node sends has \(images.count) images instead of one.")
        }
        let visitor = Visitor(layers: image.layers, in: directory)
        var reader = TarReader()
        try ArchiveContent.read(archive) { (bytes) throws(ImageArchiveError) in
            try reader.read(bytes, visitor)
            return true
        }
        guard let configuration = visitor.documents.first(where: { ImageDigest(of: $0) == image.id }) else {
            throw NodeFailure(.node, "The archive that the node sends lacks the configuration of its image.")
        }
        self.configuration = configuration
        layers = try zip(image.layers, image.configuration.diffIDs).map { name, digest in
            guard let found = visitor.found[name], found.digest == digest else {
                throw NodeFailure(.node, "A layer of the image that the node sends does not have the digest \(digest).")
            }
            return (found.file, found.digest, found.size)
        }
    }

    /// Writes the layers to files, and keeps the small documents.
    private final class Visitor: TarVisitor {
        private static let mostDocumentBytes = 4 << 20

        private let names: [String]
        private let directory: FilePath
        private(set) var found: [String: (file: FilePath, digest: ImageDigest, size: Int)] = [:]
        private(set) var documents: [[UInt8]] = []
        private var layer: (name: String, file: FilePath, descriptor: FileDescriptor, digest: RunningDigest, size: Int)?
        private var document: [UInt8]?

        init(layers names: [String], in directory: FilePath) {
            self.names = names
            self.directory = directory
        }

        func begin(_ entry: TarEntry) throws(ImageArchiveError) {
            guard entry.kind == .file else { return }
            let path = entry.path.starts(with: "./".utf8) ? entry.path.dropFirst(2) : entry.path[...]
            let name = String(decoding: path, as: UTF8.self)
            if let number = names.firstIndex(of: name), found[name] == nil {
                // The name comes from the node, so the file has a name of its own.
                let file = directory.appending("\(number).tar")
                let descriptor: FileDescriptor
                do {
                    descriptor = try FileDescriptor.open(
                        file, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
                } catch {
                    throw ImageArchiveError(.io, "The disk of the worker cannot be written.")
                }
                layer = (name, file, descriptor, RunningDigest(.sha256), 0)
            } else if name.hasSuffix(".json") || name.hasPrefix("blobs/"), entry.size <= Self.mostDocumentBytes {
                document = []
            }
        }

        func content(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) {
            document?.append(contentsOf: bytes)
            guard let descriptor = layer?.descriptor else { return }
            do {
                _ = try descriptor.writeAll(bytes)
            } catch {
                throw ImageArchiveError(.io, "The disk of the worker cannot be written.")
            }
            layer?.digest.update(bytes)
            layer?.size += bytes.count
        }

        func endEntry() throws(ImageArchiveError) {
            if let layer {
                // Everything is written at once, so nothing is lost if closing fails.
                try? layer.descriptor.close()
                found[layer.name] = (layer.file, layer.digest.digest, layer.size)
            }
            if let document { documents.append(document) }
            (layer, document) = (nil, nil)
        }
    }
}
