/// A Zstandard frame that holds bytes without compressing them (RFC 8878, sections 3.1.1 and
/// 3.1.1.2.2).
///
/// The size of the frame depends only on the number of bytes. So a place for the frame can be kept
/// free in a file, and filled when the bytes are known.
package enum StoredZstdFrame {
    /// The numbers of bytes that one frame can hold here. They are those that a frame states in two bytes.
    package static let counts = 256...65_791

    private static let overhead = 10

    /// Returns the size of a frame that holds `count` bytes.
    package static func size(holding count: Int) -> Int { count + overhead }

    /// Returns the frame. The number of bytes must be one of ``counts``.
    package static func of(_ bytes: [UInt8]) -> [UInt8] {
        precondition(counts.contains(bytes.count))
        let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
        // A single segment whose content size has two bytes and counts from 256. No checksum.
        let descriptor: UInt8 = 0b0110_0000
        let contentSize = bytes.count - 256
        // The last block. Its type is raw, which is 0.
        let block = bytes.count << 3 | 1
        return magic + [descriptor]
            + [contentSize, contentSize >> 8, block, block >> 8, block >> 16].map { UInt8(truncatingIfNeeded: $0) } + bytes
    }
}
