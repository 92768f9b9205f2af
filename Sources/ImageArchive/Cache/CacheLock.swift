import Glibc
import SystemPackage

/// An exclusive lock on one place of the download cache, among all processes. It ends with the value,
/// or with the process.
public final class CacheLock: Sendable {
    private let path: FilePath
    private let descriptor: FileDescriptor

    private init(_ path: FilePath, _ descriptor: FileDescriptor) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit {
        // Another process that waits for this file notices that its name is gone, and creates a new one.
        unlink(path.string)
        // A program that is just being started has a copy of the descriptor, so closing is not enough.
        flock(descriptor.rawValue, LOCK_UN)
        Glibc.close(descriptor.rawValue)
    }

    /// Returns the lock, or `nil` if another process or task has it.
    static func attempt(_ path: FilePath) throws(ImageArchiveError) -> CacheLock? {
        let name = path.lastComponent?.string ?? ""
        while true {
            let descriptor = try ImageArchiveError.io(name) {
                try FileDescriptor.open(
                    path, .readWrite, options: [.create, .closeOnExec, .noFollow], permissions: [.ownerReadWrite, .groupRead, .otherRead])
            }
            guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
                let error = Errno(rawValue: errno)
                Glibc.close(descriptor.rawValue)
                if error == .wouldBlock { return nil }
                throw ImageArchiveError(.io, "\(name): \(error)")
            }
            var locked = stat()
            var named = stat()
            if fstat(descriptor.rawValue, &locked) == 0, stat(path.string, &named) == 0, locked.st_ino == named.st_ino {
                return CacheLock(path, descriptor)
            }
            // The holder before removed the file between the two calls.
            Glibc.close(descriptor.rawValue)
        }
    }
}
