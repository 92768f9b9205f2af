import Foundation
import ImageArchive
import ImageModel
import Repodata
import SystemPackage

/// Unpacks layers into a directory that is emptied after each layer.
enum LayerFuzzing {
    static func read(_ bytes: [UInt8]) throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("layer")
        try? FileManager.default.removeItem(atPath: directory.string)
        try FileManager.default.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        var limits = LayerLimits()
        limits.plainBytes = 64 << 20
        let layer = Descriptor(mediaType: .ociGzipLayer, digest: ImageDigest(of: bytes), size: bytes.count)
        let reader = try LayerReader(layer, limits: limits)
        let unpacker = try LayerUnpacker(into: directory)
        try Parsers.pieces(bytes) { try reader.read($0, unpacker) }
        _ = try reader.finish(unpacker)
    }
}

/// Reads whole packages, whose headers librpm reads from a file.
enum RPMFuzzing {
    static func readFile(_ bytes: [UInt8]) throws {
        let file = FilePath(FileManager.default.temporaryDirectory.path).appending("package.rpm")
        try Data(bytes).write(to: URL(filePath: file.string))
        _ = try RPMHeader(reading: file)
    }
}
