import CCompression

/// Turns plain bytes into compressed ones, piece by piece: the other direction of ``StreamDecoder``.
protocol StreamEncoder: AnyObject {
    /// Encodes some of `input` into `output`. `isDone`: all of the input is taken and, after the last one, all output given. `nil` when the library fails.
    func step(
        _ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer, isLast: Bool
    ) -> (consumed: Int, produced: Int, isDone: Bool)?
}

/// gzip, by zlib.
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

/// Zstandard, by libzstd.
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
