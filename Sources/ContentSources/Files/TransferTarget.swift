import Glibc
import NIOCore
import NIOPosix
import SystemPackage

/// A transfer target receives the bytes of a download. It is used for all attempts, so that one can
/// continue where the last one ended.
protocol TransferTarget: AnyObject {
    /// The number of bytes received so far.
    var count: Int { get }
    /// Drops all bytes.
    func restart() async throws(TransferProblem)
    func append(_ bytes: ByteBuffer) async throws(TransferProblem)
}

/// A target that keeps the bytes in memory, for small files such as repomd.xml.
final class MemoryTarget: TransferTarget {
    private(set) var bytes: [UInt8] = []
    var count: Int { bytes.count }

    func restart() { bytes.removeAll() }

    func append(_ buffer: ByteBuffer) { bytes.append(contentsOf: buffer.readableBytesView) }
}

/// A target that keeps one part of the bytes in memory, and drops the bytes before and after it.
final class PartTarget: TransferTarget {
    /// The place of the part among the bytes received.
    let part: Range<Int>
    private(set) var bytes: [UInt8] = []
    private(set) var count = 0

    init(_ part: Range<Int>) { self.part = part }

    func restart() {
        bytes.removeAll()
        count = 0
    }

    func append(_ buffer: ByteBuffer) {
        bytes.append(
            contentsOf: buffer.readableBytesView.dropFirst(max(0, part.lowerBound - count)).prefix(part.count - bytes.count))
        count += buffer.readableBytes
    }
}

/// A target that writes the bytes to a new file. Its pieces are large enough to justify a call to the
/// thread pool.
final class FileTarget: TransferTarget {
    private static let pieceSize = 1 << 20

    private let descriptor: SystemPackage.FileDescriptor
    private let threadPool: NIOThreadPool
    private var pending = ByteBuffer()
    private var written = 0
    private var isOpen = true

    var count: Int { written + pending.readableBytes }

    /// Creates the file. Throws if it exists.
    init(_ path: FilePath, on threadPool: NIOThreadPool) async throws(TransferProblem) {
        self.threadPool = threadPool
        descriptor = try await threadPool.storing {
            try SystemPackage.FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        }
    }

    deinit {
        // The file is still open only if the transfer failed or was canceled. Then it is of no use.
        if isOpen { Glibc.close(descriptor.rawValue) }
    }

    func restart() async throws(TransferProblem) {
        pending.clear()
        written = 0
        let descriptor = descriptor
        try await threadPool.storing {
            try descriptor.resize(to: 0)
            try descriptor.seek(offset: 0, from: .start)
        }
    }

    func append(_ bytes: ByteBuffer) async throws(TransferProblem) {
        pending.writeImmutableBuffer(bytes)
        if pending.readableBytes >= Self.pieceSize { try await flush() }
    }

    /// Closes the file. All bytes must have been written.
    func close() async throws(TransferProblem) {
        let descriptor = descriptor
        do throws(TransferProblem) {
            try await threadPool.storing { try descriptor.close() }
        } catch {
            // A canceled task has not called close(2), so `deinit` does. A call that failed has released the
            // descriptor all the same (close(2), "Dealing with error returns from close()").
            isOpen = error == .canceled
            throw error
        }
        isOpen = false
    }

    /// Writes the pending bytes.
    func flush() async throws(TransferProblem) {
        guard pending.readableBytes > 0 else { return }
        let piece = pending
        let descriptor = descriptor
        _ = try await threadPool.storing { try descriptor.writeAll(piece.readableBytesView) }
        written += piece.readableBytes
        pending.clear()
    }
}

extension NIOThreadPool {
    /// Runs blocking calls that write on this host. Throws their errors as problems of storage.
    fileprivate func storing<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws(TransferProblem) -> Result {
        try await run(canceled: .canceled) { () throws(TransferProblem) in
            try TransferProblem.storing { () throws(Errno) in try Errno.only(body) }
        }
    }
}
