import Dispatch
import Glibc
import Synchronization
import SystemPackage

/// Reads a file once, in pieces, and computes its checksum.
///
/// Another thread does both, ahead of the caller. The checksum is of the very bytes that the caller
/// gets. So a file that another program changes meanwhile is noticed.
final class CheckedReader {
    private let pieces: Pieces
    private let queue = DispatchQueue(label: "checksum")

    /// Begins to read `file` at its offset. The caller closes it.
    ///
    /// - Parameter size: The number of bytes that are read.
    init(_ file: FileDescriptor, size: Int, _ algorithm: Checksum.Algorithm) {
        pieces = Pieces(size, algorithm)
        queue.async { [pieces] in pieces.fill(from: file) }
    }

    deinit {
        pieces.stop()
        queue.sync {}
    }

    /// Returns the next bytes. They are valid until the next call. At the end of the file, it returns no
    /// bytes.
    func next() throws -> UnsafeRawBufferPointer { try pieces.take() }

    /// Returns the checksum of the bytes that were read. Call it once, after all bytes were read.
    func checksum() -> Checksum {
        pieces.stop()
        return queue.sync { pieces.running.finish() }
    }
}

/// The pieces between the thread that reads a file and its caller.
private final class Pieces: @unchecked Sendable {  // each buffer is used by one thread at a time
    /// The number of buffers, and their size. With smaller ones, the threads would wake each other more
    /// often.
    private static let (count, size) = (3, 4 * FileContent.pieceSize)

    let running: RunningChecksum
    private let fileSize: Int
    private let buffers = UnsafeMutableRawBufferPointer.allocate(byteCount: count * size, alignment: 16)
    /// The number of bytes that were read into each buffer. The buffers are filled in turn.
    private let found: Mutex<[Result<Int, any Error>]> = Mutex(Array(repeating: .success(0), count: count))
    /// Count the buffers that can be filled, and those that are filled.
    private let (free, filled) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
    private let isStopped = Atomic(false)
    /// The number of pieces that the caller has got, and of the bytes that it has not got. Only the caller
    /// uses them.
    private var (taken, rest): (Int, Int)

    init(_ size: Int, _ algorithm: Checksum.Algorithm) {
        fileSize = size
        (taken, rest) = (0, size)
        running = RunningChecksum(algorithm)
        for _ in 0..<Self.count { free.signal() }
    }

    deinit { buffers.deallocate() }

    private func buffer(_ number: Int, atMost most: Int) -> UnsafeMutableRawBufferPointer {
        let start = number % Self.count * Self.size
        return UnsafeMutableRawBufferPointer(rebasing: buffers[start..<start + min(most, Self.size)])
    }

    /// Fills the buffers until all bytes were read, or until ``stop()``.
    func fill(from file: FileDescriptor) {
        var (number, rest) = (0, fileSize)
        while rest > 0 {
            free.wait()
            if isStopped.load(ordering: .acquiring) { return }
            let room = buffer(number, atMost: rest)
            let result = Result { try file.read(into: room) }
            found.withLock { $0[number % Self.count] = result }
            filled.signal()
            guard case .success(let count) = result, count > 0 else { return }
            // The caller has the bytes already.
            running.update(UnsafeRawBufferPointer(rebasing: room[..<count]))
            (number, rest) = (number + 1, rest - count)
        }
    }

    /// Ends ``fill(from:)`` if it waits for a buffer.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        free.signal()
    }

    func take() throws -> UnsafeRawBufferPointer {
        guard rest > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        // The piece before is not needed any more.
        if taken > 0 { free.signal() }
        filled.wait()
        let room = buffer(taken, atMost: rest)
        taken += 1
        do {
            let count = try found.withLock { $0[(taken - 1) % Self.count] }.get()
            rest = count > 0 ? rest - count : 0
            return UnsafeRawBufferPointer(rebasing: room[..<count])
        } catch {
            rest = 0
            throw error
        }
    }
}
