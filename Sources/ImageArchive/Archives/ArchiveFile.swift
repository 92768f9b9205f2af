import Compression
import Glibc
import SystemPackage

/// A new file that an archive is written to, plain or compressed with Zstandard.
///
/// A block can be left free and filled later. So an archive is written in one pass even though the
/// header of a layer, which has its size, stands before the layer. In a compressed file, the free
/// place becomes a frame that holds the block uncompressed. Frames follow each other in a Zstandard
/// file (RFC 8878, section 3).
final class ArchiveFile: ByteSink {
    /// The number of bytes that are compressed in one step.
    private static let pieceSize = 1 << 20

    /// The compression level for Zstandard. It is `nil` for a plain file.
    private let level: Int?
    private let name: String
    private let file: FileDescriptor
    private var encoder: ZstdEncoder?
    /// Whether the encoder is in the middle of a frame.
    private var isInFrame = false
    private var pending: [UInt8] = []
    /// The number of bytes in the file, free places included.
    private(set) var size = 0

    /// Creates the file, or replaces it.
    init(_ path: FilePath, zstdLevel level: Int?) throws(ImageArchiveError) {
        let name = path.lastComponent?.string ?? "archive"
        self.level = level
        self.name = name
        file = try ImageArchiveError.io(name) {
            try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite, .groupRead, .otherRead])
        }
        pending.reserveCapacity(Self.pieceSize)
    }

    deinit { Glibc.close(file.rawValue) }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) {
        pending.append(contentsOf: bytes)
        if pending.count >= Self.pieceSize { try flush(endsFrame: false) }
    }

    /// Leaves a place for a block. Returns its offset in the file.
    func reserveBlock() throws(ImageArchiveError) -> Int {
        try flush(endsFrame: true)
        let offset = size
        size += level == nil ? TarHeader.blockSize : StoredZstdFrame.size(holding: TarHeader.blockSize)
        try ImageArchiveError.io(name) { _ = try file.seek(offset: Int64(size), from: .start) }
        return offset
    }

    /// Fills a free place.
    func fill(_ block: [UInt8], at offset: Int) throws(ImageArchiveError) {
        let bytes = level == nil ? block : StoredZstdFrame.of(block)
        try ImageArchiveError.io(name) { _ = try file.writeAll(toAbsoluteOffset: Int64(offset), bytes) }
    }

    /// Writes all pending bytes. It does not wait for the disk. An archive that a crash damaged is noticed
    /// by its checksum.
    func finish() throws(ImageArchiveError) { try flush(endsFrame: true) }

    private func flush(endsFrame: Bool) throws(ImageArchiveError) {
        guard let level else {
            try append(pending)
            return pending.removeAll(keepingCapacity: true)
        }
        guard !pending.isEmpty || isInFrame else { return }
        let encoder = try encoder(level)
        guard let encoded = pending.withUnsafeBytes({ encoder.encode($0, isLast: endsFrame) }) else {
            throw ImageArchiveError(.io, "\(name) could not be compressed.")
        }
        // After the end of a frame, the encoder begins the next one.
        self.encoder = encoder
        isInFrame = !endsFrame
        pending.removeAll(keepingCapacity: true)
        try append(encoded)
    }

    private func encoder(_ level: Int) throws(ImageArchiveError) -> ZstdEncoder {
        if let encoder { return encoder }
        return try ImageArchiveError.io(name) { try ZstdEncoder(level: level, workers: Self.workers) }
    }

    private func append(_ bytes: [UInt8]) throws(ImageArchiveError) {
        try ImageArchiveError.io(name) { _ = try file.writeAll(bytes) }
        size += bytes.count
    }

    /// libzstd's threads work while this thread decompresses. The bytes of the file do not depend on their
    /// number.
    private static let workers = max(1, min(4, sysconf(CInt(_SC_NPROCESSORS_ONLN))))
}
