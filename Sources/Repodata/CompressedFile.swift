import Glibc
import SystemPackage

/// A new file that compresses what is written to it, and knows size and SHA-256 of both sides when it is finished.
///
/// Equal bytes in give equal bytes out: nothing in the file says its name or a time. What is added is kept until ``flush(isLast:)`` compresses it,
/// all at once: that is where the time goes, and what can be done for several files side by side.
final class CompressedFile {
    /// What `finish` tells, in the words of repomd.xml.
    struct Summary {
        let checksum: Checksum
        let size: Int
        let openChecksum: Checksum
        let openSize: Int
    }

    /// Bytes that are kept before they have to be compressed. Documents of some ten thousand packages are smaller, and so one member of gzip.
    private static let blockSize = 16 << 20

    private let name: String
    private let file: FileDescriptor
    private let encoder: any StreamEncoder
    private let digest: Digest
    private let openDigest: Digest
    private var pending: [UInt8] = []
    private var size = 0
    private var openSize = 0

    /// Creates `path`, which must not exist; `name` is what messages call it.
    init(_ path: FilePath, compression: RepositoryWriter.Options.Compression, named name: String) throws(RepodataError) {
        self.name = name
        digest = try Digest(.sha256)
        openDigest = try Digest(.sha256)
        encoder =
            switch compression {
            case .gzip: try GzipEncoder()
            case .zstd: try ZstdEncoder()
            }
        file = try RepodataError.io(name) {
            try FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        }
    }

    deinit { Glibc.close(file.rawValue) }

    /// Whether as much was added as should be kept.
    var isFull: Bool { pending.count >= Self.blockSize }

    func add(_ bytes: UnsafeRawBufferPointer) { pending.append(contentsOf: bytes) }

    func add(_ text: String) { pending.append(contentsOf: text.utf8) }

    /// Writes what was added. `isLast`: nothing will be added afterwards.
    func flush(isLast: Bool = false) throws(RepodataError) {
        let encoded = try pending.withUnsafeBufferPointer { (pending) throws(RepodataError) in
            let block = UnsafeRawBufferPointer(pending)
            try openDigest.update(block)
            guard let encoded = encoder.encode(block, isLast: isLast) else { throw RepodataError(.io, "\(name) could not be compressed") }
            return encoded
        }
        openSize += pending.count
        pending.removeAll(keepingCapacity: !isLast)
        try encoded.withUnsafeBufferPointer { (encoded) throws(RepodataError) in try digest.update(UnsafeRawBufferPointer(encoded)) }
        try RepodataError.io(name) { _ = try file.writeAll(encoded) }
        size += encoded.count
    }

    /// What was written, after the last flush.
    func finish() throws(RepodataError) -> Summary {
        Summary(checksum: try digest.finish(), size: size, openChecksum: try openDigest.finish(), openSize: openSize)
    }
}
