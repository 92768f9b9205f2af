import Glibc
import NIOCore
import NIOPosix
import SystemPackage

/// Where the bytes of a download go. It outlives a single attempt, so that the next one can go on where the last one ended.
protocol TransferTarget: AnyObject {
    /// Bytes received so far.
    var count: Int { get }
    /// Forgets all bytes.
    func restart() async throws(TransferProblem)
    func append(_ bytes: ByteBuffer) async throws(TransferProblem)
}

/// Keeps the bytes in memory: for repomd.xml.
final class MemoryTarget: TransferTarget {
    private(set) var bytes: [UInt8] = []
    var count: Int { bytes.count }

    func restart() { bytes.removeAll() }

    func append(_ buffer: ByteBuffer) { bytes.append(contentsOf: buffer.readableBytesView) }
}

/// Writes the bytes to a new file, in pieces large enough to be worth the way to the thread pool.
final class FileTarget: TransferTarget {
    private static let pieceSize = 1 << 20

    private let descriptor: SystemPackage.FileDescriptor
    private let threadPool: NIOThreadPool
    private var pending = ByteBuffer()
    private var written = 0
    private var isOpen = true

    var count: Int { written + pending.readableBytes }

    /// Creates the file, which must not exist.
    init(_ path: FilePath, on threadPool: NIOThreadPool) async throws(TransferProblem) {
        self.threadPool = threadPool
        descriptor = try await threadPool.storing {
            try SystemPackage.FileDescriptor.open(
                path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        }
    }

    deinit {
        // Only where the transfer failed, and then the file is of no use.
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

    /// Closes the file, of which everything must be written.
    func close() async throws(TransferProblem) {
        isOpen = false
        let descriptor = descriptor
        try await threadPool.storing { try descriptor.close() }
    }

    /// Writes what is left.
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
    /// Runs blocking calls that write on this host; their errors are those of the disk.
    fileprivate func storing<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws(TransferProblem) -> Result {
        do {
            return try await runIfActive(body)
        } catch let error as Errno {
            throw .storage(error)
        } catch {
            throw .canceled
        }
    }
}
