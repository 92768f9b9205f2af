import Compression
import Glibc
import Synchronization
import SystemPackage

/// A memory of files of this host whose checksums were verified, so that a file that goes into many
/// composes is read only once.
///
/// A file is identified by device, inode, size and modification time. The time of the last change of
/// the inode (ctime) is not included, because each hard link that a compose makes changes it.
final class VerifiedFiles: Sendable {
    private struct Key: Hashable {
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
        let checksum: Checksum
    }

    /// The maximum number of entries, of about 200 bytes each. When it is reached, all entries are dropped.
    private static let most = 500_000

    private let known = Mutex<Set<Key>>([])

    /// Throws unless the bytes of `file` have the checksum `expected`. Blocks and reads the file, unless it
    /// was verified before.
    func check(_ file: OpenFile, is expected: Checksum) throws(TransferProblem) {
        let status = file.status
        let key = Key(
            device: UInt64(status.rawValue.st_dev), inode: UInt64(status.rawValue.st_ino), size: status.size,
            seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec, checksum: expected)
        if known.withLock({ $0.contains(key) }) { return }
        try file.read { (descriptor) throws(TransferProblem) in
            try RegularFile.verify(FilePath("/proc/self/fd/\(descriptor.rawValue)"), is: expected)
        }
        known.withLock { known in
            if known.count >= Self.most { known.removeAll() }
            known.insert(key)
        }
    }
}
