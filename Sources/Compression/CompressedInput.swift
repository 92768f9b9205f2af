import Glibc
package import SystemPackage

/// The bytes of a compressed file, in the pieces that a decoder takes.
protocol CompressedInput: ~Copyable {
    /// Returns the next bytes, at most ``FileContent/pieceSize``, and whether no others follow them. At the
    /// end of the file, there are no bytes.
    mutating func next() throws(RepodataError) -> (bytes: UnsafeRawBufferPointer, isLast: Bool)

    /// Counts bytes as taken. ``next()`` returns those behind them from then on.
    mutating func take(_ count: Int)

    /// The number of bytes that were taken.
    var taken: Int { get }
}

/// Compressed bytes in memory.
struct CompressedBytes: CompressedInput {
    let bytes: UnsafeRawBufferPointer
    private(set) var taken = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func next() -> (bytes: UnsafeRawBufferPointer, isLast: Bool) {
        // The C libraries use 32-bit counts.
        let end = min(bytes.count, taken + FileContent.pieceSize)
        return (UnsafeRawBufferPointer(rebasing: bytes[taken..<end]), end == bytes.count)
    }

    mutating func take(_ count: Int) { taken += count }
}

/// A compressed file that is read once, from the beginning to the end. Its checksum is computed
/// meanwhile, so a file that another program replaces is noticed.
package struct CompressedStream: CompressedInput, ~Copyable {
    private let file: FileDescriptor
    private let size: Int
    private let name: String
    private let digest: Digest
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: FileContent.pieceSize, alignment: 16)
    /// The bytes of ``buffer`` that were read and not taken.
    private var pending = 0..<0
    private var read = 0
    private(set) package var taken = 0

    /// Begins to read `file` at its offset. The caller closes it.
    ///
    /// - Parameters:
    ///   - size: The number of bytes that are read.
    ///   - algorithm: The algorithm of ``checksum()``.
    ///   - name: The name of the file in errors.
    package init(_ file: FileDescriptor, size: Int, _ algorithm: Checksum.Algorithm, named name: String) {
        self.file = file
        self.size = size
        self.name = name
        digest = Digest(algorithm)
    }

    deinit { buffer.deallocate() }

    package mutating func next() throws(RepodataError) -> (bytes: UnsafeRawBufferPointer, isLast: Bool) {
        if pending.isEmpty, read < size {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, size - read)])
            let count = try RepodataError.io(name) { try file.read(into: room) }
            guard count > 0 else { throw RepodataError(.truncated, "\(name) became shorter while it was read") }
            digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            pending = 0..<count
            read += count
        }
        return (UnsafeRawBufferPointer(rebasing: buffer[pending]), read == size)
    }

    package mutating func take(_ count: Int) {
        pending = pending.lowerBound + count..<pending.upperBound
        taken += count
    }

    /// Returns the checksum of the bytes that were read. Call it once.
    package consuming func checksum() -> Checksum { digest.finish() }
}
