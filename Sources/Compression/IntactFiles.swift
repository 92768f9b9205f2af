import Glibc
import Synchronization
package import SystemPackage

/// The identity of the content of a file: its inode, its size and the time of its last change.
package struct FileIdentity: Hashable, Sendable {
    private let device: UInt64
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int
    private let nanoseconds: Int

    /// - Returns: `nil` if the status of the open file cannot be read.
    package init?(of descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    /// - Returns: `nil` if the status of the file cannot be read.
    package init?(of path: FilePath) {
        var status = stat()
        guard stat(path.string, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }

    /// Returns whether the file at `path` still has this content.
    package func isStill(at path: FilePath) -> Bool { FileIdentity(of: path) == self }

    /// Whether the file was changed so recently that another change may have the same time. The clock of
    /// file systems is coarse.
    fileprivate var isRecent: Bool { seconds + 2 >= time(nil) }
}

/// The files of this service whose digest was compared with their content in this process. It need not
/// be computed again for each use.
package enum IntactFiles {
    /// More files than a worker uses at once.
    private static let most = 4096
    private static let known: Mutex<Set<FileIdentity>> = Mutex([])

    package static func contains(_ file: FileIdentity?) -> Bool {
        guard let file else { return false }
        return known.withLock { $0.contains(file) }
    }

    /// Remembers that a file is intact. A file that has just changed is not remembered.
    package static func insert(_ file: FileIdentity?) {
        guard let file, !file.isRecent else { return }
        known.withLock { known in
            if known.count >= most { known.removeAll() }
            known.insert(file)
        }
    }
}
