import CCompression

/// Decompresses bytes, piece by piece.
///
/// Each implementation wraps the streaming interface of the format's own library. The file interfaces
/// above them (gzread, rpmio, cr_read) do not report whether the input ended at the end of a stream.
/// The streaming interfaces do, and they continue with a second stream behind the first.
package protocol StreamDecoder: AnyObject {
    /// Whether the input may end here.
    var isAtStreamEnd: Bool { get }

    /// Decodes a part of `input` into `output`. Returns the numbers of bytes read and written. `isLast`
    /// means that no bytes follow `input`. Throws `StreamDecoderFailure` if the input is damaged.
    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(StreamDecoderFailure) -> (consumed: Int, produced: Int)
}

/// The input does not have the decoder's format or is damaged. The reason is the library's message.
package struct StreamDecoderFailure: Error {
    package let reason: String
}

/// Passes plain bytes on unchanged.
package final class PlainDecoder: StreamDecoder {
    package var isAtStreamEnd: Bool { true }

    package init() {}

    package func step(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool) -> (
        consumed: Int, produced: Int
    ) {
        let count = min(input.count, output.count)
        output.copyMemory(from: UnsafeRawBufferPointer(rebasing: input[..<count]))
        return (count, count)
    }
}

/// Decodes xz with liblzma.
final class XZDecoder: StreamDecoder {
    /// The memory limit in bytes. `xz -9` needs 65 MiB to decompress. A file that needs more than the limit
    /// is not metadata but an attempt to use up memory.
    private static let memoryLimit: UInt64 = 256 << 20

    /// `LZMA_CONCATENATED`, which Swift cannot import.
    private static let concatenated: UInt32 = 0x08

    private let stream = UnsafeMutablePointer<lzma_stream>.allocate(capacity: 1)
    private(set) var isAtStreamEnd = false

    init() throws(StreamDecoderFailure) {
        stream.initialize(to: lzma_stream())
        guard lzma_stream_decoder(stream, Self.memoryLimit, Self.concatenated) == LZMA_OK else {
            throw StreamDecoderFailure(reason: "liblzma has no memory")
        }
    }

    deinit {
        lzma_end(stream)
        stream.deallocate()
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(StreamDecoderFailure) -> (consumed: Int, produced: Int) {
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = input.count
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = output.count
        let code = lzma_code(stream, isLast ? LZMA_FINISH : LZMA_RUN)
        switch code {
        case LZMA_OK, LZMA_BUF_ERROR: break
        case LZMA_STREAM_END: isAtStreamEnd = true
        case LZMA_FORMAT_ERROR: throw StreamDecoderFailure(reason: "not in xz format")
        case LZMA_MEMLIMIT_ERROR: throw StreamDecoderFailure(reason: "needs more than \(Self.memoryLimit >> 20) MiB of memory")
        default: throw StreamDecoderFailure(reason: "liblzma error \(code.rawValue)")
        }
        return (input.count - stream.pointee.avail_in, output.count - stream.pointee.avail_out)
    }
}

/// Decodes bzip2 with libbz2.
final class Bzip2Decoder: StreamDecoder {
    private let stream = UnsafeMutablePointer<bz_stream>.allocate(capacity: 1)
    private(set) var isAtStreamEnd = false

    init() throws(StreamDecoderFailure) {
        stream.initialize(to: bz_stream())
        guard BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else {
            throw StreamDecoderFailure(reason: "libbz2 has no memory")
        }
    }

    deinit {
        BZ2_bzDecompressEnd(stream)
        stream.deallocate()
    }

    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(StreamDecoderFailure) -> (consumed: Int, produced: Int) {
        if isAtStreamEnd {
            BZ2_bzDecompressEnd(stream)
            guard BZ2_bzDecompressInit(stream, 0, 0) == BZ_OK else { throw StreamDecoderFailure(reason: "libbz2 has no memory") }
            isAtStreamEnd = false
        }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: CChar.self))
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: CChar.self)
        stream.pointee.avail_out = UInt32(output.count)
        let code = BZ2_bzDecompress(stream)
        switch code {
        case BZ_OK: break
        case BZ_STREAM_END: isAtStreamEnd = true
        case BZ_DATA_ERROR_MAGIC: throw StreamDecoderFailure(reason: "not in bzip2 format")
        case BZ_DATA_ERROR: throw StreamDecoderFailure(reason: "damaged bzip2 data")
        default: throw StreamDecoderFailure(reason: "libbz2 error \(code)")
        }
        return (input.count - Int(stream.pointee.avail_in), output.count - Int(stream.pointee.avail_out))
    }
}

/// Decodes Zstandard with libzstd. The window is limited by libzstd's default of 128 MiB.
package final class ZstdDecoder: StreamDecoder {
    private let stream: OpaquePointer
    package private(set) var isAtStreamEnd = false

    package init() throws(StreamDecoderFailure) {
        guard let stream = ZSTD_createDStream() else { throw StreamDecoderFailure(reason: "libzstd has no memory") }
        self.stream = stream
    }

    deinit { ZSTD_freeDStream(stream) }

    package func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) throws(StreamDecoderFailure) -> (consumed: Int, produced: Int) {
        var from = ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
        var to = ZSTD_outBuffer(dst: output.baseAddress, size: output.count, pos: 0)
        let code = ZSTD_decompressStream(stream, &to, &from)
        guard ZSTD_isError(code) == 0 else { throw StreamDecoderFailure(reason: String(cString: ZSTD_getErrorName(code))) }
        isAtStreamEnd = code == 0
        return (from.pos, to.pos)
    }
}
