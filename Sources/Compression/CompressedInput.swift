import Glibc
package import SystemPackage

/// The bytes of a compressed file, in the pieces that a decoder takes.
protocol CompressedInput: ~Copyable {
    /// Returns the next bytes, at most a megabyte, and whether no others follow them. At the end of the
    /// file, there are no bytes.
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
    private let reader: CheckedReader
    private let size: Int
    private let name: String
    /// The bytes that were read and not taken.
    private var pending = UnsafeRawBufferPointer(start: nil, count: 0)
    private var read = 0
    private(set) package var taken = 0

    /// Begins to read `file` at its offset. The caller closes it.
    ///
    /// - Parameters:
    ///   - size: The number of bytes that are read.
    ///   - algorithm: The algorithm of ``checksum()``.
    ///   - name: The name of the file in errors.
    package init(_ file: FileDescriptor, size: Int, _ algorithm: Checksum.Algorithm, named name: String) {
        reader = CheckedReader(file, size: size, algorithm)
        self.size = size
        self.name = name
    }

    package mutating func next() throws(RepodataError) -> (bytes: UnsafeRawBufferPointer, isLast: Bool) {
        if pending.isEmpty, read < size {
            pending = try RepodataError.io(name) { try reader.next() }
            guard !pending.isEmpty else { throw RepodataError(.truncated, "\(name) became shorter while it was read") }
            read += pending.count
        }
        return (pending, read == size)
    }

    package mutating func take(_ count: Int) {
        pending = UnsafeRawBufferPointer(rebasing: pending[count...])
        taken += count
    }

    /// Returns the checksum of the bytes that were read. Call it once.
    package consuming func checksum() -> Checksum { reader.checksum() }
}
