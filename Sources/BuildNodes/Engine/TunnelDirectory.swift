import Foundation
import Glibc
import SystemPackage

/// A *tunnel directory* has the socket of one tunnel. It is below `/tmp`, because the path of a socket
/// has at most 107 bytes. The kernel holds its lock as long as this process lives.
struct TunnelDirectory {
    let path: FilePath
    private let lock: FileDescriptor

    private static let (parent, prefix) = (FilePath("/tmp"), "odcs-ssh-")
    /// The age in seconds at which a directory without a lock was left by a process that was killed.
    private static let leastAge = 60

    /// Makes a directory, and removes those of processes that were killed.
    init() throws {
        Self.removeLeftovers()
        path = Self.parent.appending("\(Self.prefix)\(UUID().uuidString.prefix(13).lowercased())")
        try FileManager.default.createDirectory(
            atPath: path.string, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        lock = try FileDescriptor.open(
            path.appending("lock"), .readWrite, options: [.create, .exclusiveCreate, .closeOnExec], permissions: .ownerReadWrite)
        guard flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 else { throw Errno(rawValue: errno) }
    }

    func remove() {
        // At worst the next tunnel removes the directory.
        try? FileManager.default.removeItem(atPath: path.string)
        try? lock.close()
    }

    /// Removes the directories of this user that no process holds.
    static func removeLeftovers(now: Int = time(nil)) {
        // A directory that cannot be read, or that ends meanwhile, is none that could be removed.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent.string)) ?? [] where name.hasPrefix(prefix) {
            let path = parent.appending(name)
            var status = stat()
            guard lstat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
                now - status.st_mtim.tv_sec >= leastAge,
                let lock = try? FileDescriptor.open(path.appending("lock"), .readOnly, options: [.closeOnExec, .noFollow])
            else { continue }
            if flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(atPath: path.string) }
            try? lock.close()
        }
    }
}
