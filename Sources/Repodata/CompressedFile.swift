import Glibc
import SystemPackage

/// A new file that compresses what is written to it, and knows size and SHA-256 of both sides when it is finished.
///
/// Equal bytes in give equal bytes out: the gzip header carries neither name nor time.
final class CompressedFile {
    /// What `finish` tells, in the words of repomd.xml.
    struct Summary {
        let checksum: Checksum
        let size: Int
        let openChecksum: Checksum
        let openSize: Int
    }

    private let name: String
    private let file: FileDescriptor
    private let encoder: any StreamEncoder
    private let buffer: UnsafeMutableRawBufferPointer
    private let digest: Digest
    private let openDigest: Digest
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
        buffer = .allocate(byteCount: FileContent.pieceSize, alignment: 16)
    }

    deinit {
        Glibc.close(file.rawValue)
        buffer.deallocate()
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(RepodataError) {
        openSize += bytes.count
        try openDigest.update(bytes)
        // The C libraries count in 32 bits.
        var rest = bytes[...]
        while !rest.isEmpty {
            try encode(UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30)), isLast: false)
            rest = rest.dropFirst(1 << 30)
        }
    }

    func write(_ text: String) throws(RepodataError) {
        try Array(text.utf8).withUnsafeBufferPointer { (bytes) throws(RepodataError) in try write(UnsafeRawBufferPointer(bytes)) }
    }

    /// Writes what is left; nothing may be written afterwards.
    func finish() throws(RepodataError) -> Summary {
        try encode(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)
        return Summary(checksum: try digest.finish(), size: size, openChecksum: try openDigest.finish(), openSize: openSize)
    }

    private func encode(_ bytes: UnsafeRawBufferPointer, isLast: Bool) throws(RepodataError) {
        var input = bytes[...]
        var isDone = false
        while !isDone {
            let step = encoder.step(UnsafeRawBufferPointer(rebasing: input), into: buffer, isLast: isLast)
            guard let step else { throw RepodataError(.io, "\(name) could not be compressed") }
            input = input.dropFirst(step.consumed)
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<step.produced])
            try digest.update(piece)
            size += piece.count
            try RepodataError.io(name) { _ = try file.writeAll(piece) }
            isDone = step.isDone && input.isEmpty
        }
    }
}
