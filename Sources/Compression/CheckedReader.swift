import Dispatch
import Glibc
import SystemPackage

/// Reads a file once, in pieces, and computes its checksum on another thread meanwhile.
///
/// The checksum is of the very bytes that the reader gets. So a file that another program changes
/// meanwhile is noticed.
final class CheckedReader {
    /// The number of pieces in memory. If the checksum is slower than the reader, the reader waits for it.
    private static let pieces = 8

    private let file: FileDescriptor
    private let running: RunningChecksum
    private let buffers = UnsafeMutableRawBufferPointer.allocate(byteCount: pieces * FileContent.pieceSize, alignment: 16)
    /// Counts the buffers that the checksum does not need. They become free in the order of the pieces.
    private let free = DispatchSemaphore(value: pieces)
    private let queue = DispatchQueue(label: "checksum")
    private var next = 0

    /// Begins to read `file` at its offset. The caller closes it.
    init(_ file: FileDescriptor, _ algorithm: Checksum.Algorithm) {
        self.file = file
        running = RunningChecksum(algorithm)
    }

    deinit {
        queue.sync {}
        buffers.deallocate()
    }

    /// Returns the next bytes, at most `most`. They are valid until the next call. At the end of the
    /// file, it returns no bytes.
    func read(atMost most: Int) throws -> UnsafeRawBufferPointer {
        let start = next % Self.pieces * FileContent.pieceSize
        free.wait()
        do {
            let room = UnsafeMutableRawBufferPointer(rebasing: buffers[start..<start + min(most, FileContent.pieceSize)])
            let piece = ReadBytes(bytes: UnsafeRawBufferPointer(rebasing: room[..<(try file.read(into: room))]))
            next += 1
            queue.async { [running, free] in
                running.update(piece.bytes)
                free.signal()
            }
            return piece.bytes
        } catch {
            free.signal()
            throw error
        }
    }

    /// Returns the checksum of the bytes that were read. Call it once.
    func checksum() -> Checksum { queue.sync { running.finish() } }
}

/// The bytes of one piece.
private struct ReadBytes: @unchecked Sendable {  // the buffer is neither changed nor freed before the checksum has them
    let bytes: UnsafeRawBufferPointer
}
