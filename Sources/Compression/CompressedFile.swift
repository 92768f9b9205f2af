import Glibc
package import SystemPackage

/// A new file that compresses the bytes added to it. When it is finished, it reports size and SHA-256
/// of both sides: the compressed file and the plain bytes.
///
/// Equal input gives equal output, because the file contains neither its name nor a time. Added bytes
/// stay in memory until ``flush(isLast:)`` compresses them in one step. This step takes most of the
/// time, and several files can be flushed in parallel.
package final class CompressedFile {
    /// The result of ``CompressedFile/finish()``, with the field names of repomd.xml.
    package struct Summary {
        package let checksum: Checksum
        package let size: Int
        package let openChecksum: Checksum
        package let openSize: Int
    }

    /// The number of bytes that are kept in memory before they have to be compressed. Documents of some ten
    /// thousand packages are smaller, so they become a single gzip member.
    private static let blockSize = 16 << 20

    private let name: String
    private let file: FileDescriptor
    private let encoder: any StreamEncoder
    private let digest: Digest
    private let openDigest: Digest
    private var pending: [UInt8] = []
    private var size = 0
    private var openSize = 0

    /// Creates `path`, which must not exist. Error messages call the file `name`.
    package init(_ path: FilePath, compression: WritableCompression, named name: String) throws(RepodataError) {
        self.name = name
        digest = Digest(.sha256)
        openDigest = Digest(.sha256)
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

    /// Whether so many bytes are in memory that the file should be flushed.
    package var isFull: Bool { pending.count >= Self.blockSize }

    package func add(_ bytes: UnsafeRawBufferPointer) { pending.append(contentsOf: bytes) }

    package func add(_ text: String) { pending.append(contentsOf: text.utf8) }

    /// Compresses and writes the bytes added so far. `isLast` means that nothing will be added afterwards.
    package func flush(isLast: Bool = false) throws(RepodataError) {
        let encoded = try pending.withUnsafeBufferPointer { (pending) throws(RepodataError) in
            let block = UnsafeRawBufferPointer(pending)
            openDigest.update(block)
            guard let encoded = encoder.encode(block, isLast: isLast) else { throw RepodataError(.io, "\(name) could not be compressed") }
            return encoded
        }
        openSize += pending.count
        pending.removeAll(keepingCapacity: !isLast)
        encoded.withUnsafeBytes { digest.update($0) }
        try RepodataError.io(name) { _ = try file.writeAll(encoded) }
        size += encoded.count
    }

    /// Returns sizes and checksums of the written file. Call it once, after the last flush.
    package func finish() -> Summary {
        Summary(checksum: digest.finish(), size: size, openChecksum: openDigest.finish(), openSize: openSize)
    }
}
