import ImageModel
import NIOCore
import Synchronization
import SystemPackage

/// A *received archive* is a file for the image that a node sends. The node decides how long it is, so
/// the disk of the worker must keep some room.
final class ReceivedArchive: Sendable {
    /// The bytes after which the disk is looked at again.
    private static let lookBytes = 64 << 20

    private let path: FilePath
    private let descriptor: SystemPackage.FileDescriptor
    private let leastFreeBytes: Int
    /// The bytes that were received since the last look at the disk.
    private let unseen = Mutex(0)

    /// - Parameter leastFreeBytes: The bytes of the disk that stay free.
    init(_ path: FilePath, leastFreeBytes: Int) throws {
        self.path = path
        self.leastFreeBytes = leastFreeBytes
        descriptor = try SystemPackage.FileDescriptor.open(
            path, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
    }

    /// - Throws: ``NodeFailure`` if the disk is nearly full.
    func append(_ piece: ByteBuffer) throws {
        do {
            _ = try descriptor.writeAll(piece.readableBytesView)
        } catch Errno.noSpace {
            throw Self.isFull
        }
        let isDue = unseen.withLock { unseen in
            unseen += piece.readableBytes
            guard unseen >= Self.lookBytes else { return false }
            unseen = 0
            return true
        }
        if isDue, try path.freeBytes() < leastFreeBytes { throw Self.isFull }
    }

    func close() throws { try descriptor.close() }

    private static var isFull: NodeFailure {
        NodeFailure(.diskFull, "The disk of the worker has no room for the image that the node sends.")
    }
}
