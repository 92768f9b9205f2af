import Glibc
import Repodata
import Synchronization
import SystemPackage

/// Files of this host whose bytes were found to have a checksum, so that a file which goes into many composes is read once.
///
/// A file is known by device, inode, size and time of modification. The time of the last change of the inode (ctime) is left out, because each
/// hard link that a compose makes sets it.
final class VerifiedFiles: Sendable {
    private struct Key: Hashable {
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int
        let checksum: Checksum
    }

    /// About 200 bytes each.
    private static let most = 500_000

    private let known = Mutex<Set<Key>>([])

    /// Throws unless the bytes of `file` have the checksum `expected`. Blocking: reads the file, unless it is known.
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
