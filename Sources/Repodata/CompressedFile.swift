import CCompression
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

/// The other direction of ``StreamDecoder``.
protocol StreamEncoder: AnyObject {
    /// Encodes some of `input` into `output`. `isDone`: all of the input is taken and, after the last one, all output given. `nil` when the library fails.
    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) -> (consumed: Int, produced: Int, isDone: Bool)?
}

final class GzipEncoder: StreamEncoder {
    // zlib keeps a pointer to the stream and checks it: the stream must not move.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() throws(RepodataError) {
        stream.initialize(to: z_stream())
        let code = deflateInit2_(
            stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else { throw RepodataError(.io, "zlib has no memory") }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) -> (consumed: Int, produced: Int, isDone: Bool)? {
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(output.count)
        let code = deflate(stream, isLast ? Z_FINISH : Z_NO_FLUSH)
        guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { return nil }
        let isDone = isLast ? code == Z_STREAM_END : stream.pointee.avail_out > 0
        return (input.count - Int(stream.pointee.avail_in), output.count - Int(stream.pointee.avail_out), isDone)
    }
}

final class ZstdEncoder: StreamEncoder {
    /// As createrepo_c 1.0 and later.
    private static let level: Int32 = 10

    private let context: OpaquePointer

    init() throws(RepodataError) {
        guard let context = ZSTD_createCCtx() else { throw RepodataError(.io, "libzstd has no memory") }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Self.level)
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
    }

    deinit { ZSTD_freeCCtx(context) }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) -> (consumed: Int, produced: Int, isDone: Bool)? {
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let remaining = ZSTD_compressStream2(context, &to, &from, isLast ? ZSTD_e_end : ZSTD_e_continue)
        guard ZSTD_isError(remaining) == 0 else { return nil }
        return (from.pos, to.pos, isLast ? remaining == 0 : from.pos == from.size)
    }
}
