public import ImageArchive
import ImageModel
import NIOPosix
public import SystemPackage

extension ImageFetcher {
    /// Puts the archive of a fetched image into a work directory, and replaces a file that has this name.
    public func deliver(_ image: FetchedImage, as file: FilePath) async throws -> DownloadCache.Delivery {
        do {
            return try await threadPool.runIfActive { try cache.deliver(image.entry, to: file) }
        } catch {
            throw FetchFailure.of(error)
        }
    }

    /// Unpacks the files of a fetched image into an empty directory, as a container would see them.
    /// Nothing is written outside of it.
    ///
    /// If it throws, the directory is incomplete.
    public func unpack(_ image: FetchedImage, into directory: FilePath) async throws -> UnpackReport {
        do {
            return try await threadPool.runIfActive {
                let layers = try ArchivedLayers(of: image)
                let unpacker = try LayerUnpacker(into: directory)
                try layers.unpack(with: unpacker)
                return unpacker.report
            }
        } catch {
            throw FetchFailure.of(error)
        }
    }
}

/// The layers of an image in an archive, from the base up.
private struct ArchivedLayers {
    /// A layer's file in the archive. The descriptor is `nil` if the file is a plain tar archive.
    struct Layer {
        let file: String
        let descriptor: Descriptor?
    }

    let archive: FilePath
    let layers: [Layer]

    init(of image: FetchedImage) throws {
        archive = image.entry.path
        switch image.place.format {
        case .dockerArchive:
            layers = try DockerArchiveReader(archive).images().first?.layers.map { Layer(file: $0, descriptor: nil) } ?? []
        case .ociArchive:
            guard case .manifest(let manifest) = try image.entry.record.document().content else {
                throw FetchFailure(.image, "The record of \(image.digest) in the cache is not that of an image.")
            }
            layers = manifest.layers.map { layer in
                Layer(file: "blobs/\(layer.digest.algorithm.rawValue)/\(layer.digest.hex)", descriptor: layer)
            }
        }
    }

    /// Reads the archive once, or as often as a layer comes before an earlier one in it.
    func unpack(with unpacker: LayerUnpacker) throws {
        var rest = layers[...]
        while let first = rest.first {
            let visitor = LayerVisitor(rest, unpacker)
            var tar = TarReader()
            try ArchiveContent.read(archive) { (bytes) throws(ImageArchiveError) in
                try tar.read(bytes, visitor)
                return !visitor.rest.isEmpty
            }
            guard visitor.rest.count < rest.count else {
                throw FetchFailure(.image, "The archive lacks the layer \(first.file).")
            }
            rest = visitor.rest
        }
    }
}

/// A visitor of an archive that unpacks the layers in it.
private final class LayerVisitor: TarVisitor {
    private enum Current {
        case plain(TarReader)
        case compressed(LayerReader)
    }

    private(set) var rest: ArraySlice<ArchivedLayers.Layer>
    private let unpacker: LayerUnpacker
    private var current: Current?

    init(_ layers: ArraySlice<ArchivedLayers.Layer>, _ unpacker: LayerUnpacker) {
        rest = layers
        self.unpacker = unpacker
    }

    func begin(_ entry: TarEntry) throws(ImageArchiveError) {
        guard let next = rest.first, entry.kind == .file, entry.path.elementsEqual(next.file.utf8) else { return }
        unpacker.beginLayer()
        if let descriptor = next.descriptor {
            current = .compressed(try LayerReader(descriptor))
        } else {
            current = .plain(TarReader())
        }
    }

    func content(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) {
        switch current {
        case .plain(var tar):
            try tar.read(bytes, unpacker)
            current = .plain(tar)
        case .compressed(let reader): try reader.read(bytes, unpacker)
        case nil: break
        }
    }

    func endEntry() throws(ImageArchiveError) {
        switch current {
        case .plain(let tar): try tar.finish()
        case .compressed(let reader): _ = try reader.finish(unpacker)
        case nil: return
        }
        current = nil
        rest = rest.dropFirst()
    }
}
