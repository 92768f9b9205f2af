import CCompression

/// The CRC-32 of gzip. It only detects damage.
package enum CRC32 {
    package static func of(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        // It is several times as fast as that of zlib.
        libdeflate_crc32(0, bytes.baseAddress, bytes.count)
    }
}
