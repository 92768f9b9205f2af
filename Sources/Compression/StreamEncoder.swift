import CCompression

/// Compresses plain bytes, block by block. It is the counterpart of ``StreamDecoder``.
package protocol StreamEncoder: AnyObject {
    /// Returns `block` in compressed form, or `nil` if the library fails. `isLast` means that no other
    /// block follows.
    func encode(_ block: UnsafeRawBufferPointer, isLast: Bool) -> [UInt8]?
}

/// Encodes gzip with libdeflate. Each block becomes a member of its own, as gzip allows (RFC 1952,
/// section 2.2).
final class GzipEncoder: StreamEncoder {
    /// One of libdeflate's 12 levels. It makes files as small as zlib's default.
    private static let level: Int32 = 5

    private let compressor: OpaquePointer

    init() throws(RepodataError) {
        guard let compressor = libdeflate_alloc_compressor(Self.level) else { throw RepodataError(.io, "libdeflate has no memory") }
        self.compressor = compressor
    }

    deinit { libdeflate_free_compressor(compressor) }

    func encode(_ block: UnsafeRawBufferPointer, isLast: Bool) -> [UInt8]? {
        let bound = libdeflate_gzip_compress_bound(compressor, block.count)
        let encoded = [UInt8](unsafeUninitializedCapacity: bound) { buffer, count in
            count = libdeflate_gzip_compress(compressor, block.baseAddress, block.count, buffer.baseAddress, bound)
        }
        return encoded.isEmpty ? nil : encoded
    }
}

/// Encodes Zstandard with libzstd, as one frame.
package final class ZstdEncoder: StreamEncoder {
    /// The level of createrepo_c 1.0 and later.
    package static let levelOfMetadata = 10

    /// The levels that libzstd knows. Level 20 and above need more memory, also to decompress.
    package static let levels = 1...22

    private let context: OpaquePointer

    /// Creates an encoder that compresses on `workers` threads of its own. The output is the same for every
    /// number of workers but 0, which compresses on the calling thread.
    package init(level: Int = levelOfMetadata, workers: Int = 0) throws(RepodataError) {
        guard let context = ZSTD_createCCtx() else { throw RepodataError(.io, "libzstd has no memory") }
        self.context = context
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(clamping: level))
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        // A libzstd without threads refuses this parameter and compresses on the calling thread.
        if workers > 0 { ZSTD_CCtx_setParameter(context, ZSTD_c_nbWorkers, Int32(clamping: workers)) }
    }

    deinit { ZSTD_freeCCtx(context) }

    package func encode(_ block: UnsafeRawBufferPointer, isLast: Bool) -> [UInt8]? {
        var from = ZSTD_inBuffer(src: block.baseAddress, size: block.count, pos: 0)
        var encoded: [UInt8] = []
        var isDone = false
        while !isDone {
            var remaining = 0
            encoded += [UInt8](unsafeUninitializedCapacity: FileContent.pieceSize) { buffer, count in
                var to = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
                remaining = ZSTD_compressStream2(context, &to, &from, isLast ? ZSTD_e_end : ZSTD_e_continue)
                count = to.pos
            }
            guard ZSTD_isError(remaining) == 0 else { return nil }
            isDone = isLast ? remaining == 0 : from.pos == from.size
        }
        return encoded
    }
}
