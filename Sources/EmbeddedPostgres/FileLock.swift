import Dispatch
import Glibc
import SystemPackage

/// A lock on a file, held until the last reference to it is gone. When the process ends in any way, the
/// kernel releases the lock.
final class FileLock: Sendable {
    private let file: FileDescriptor

    private init(_ file: FileDescriptor) { self.file = file }

    deinit {
        // A program that is just being started has a copy of the descriptor, so closing is not enough.
        flock(file.rawValue, LOCK_UN)
        Glibc.close(file.rawValue)
    }

    /// Waits until the lock is free, on a separate thread, and takes it.
    static func waiting(for path: FilePath) async throws -> FileLock {
        let file = try open(path)
        let problem = await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: lock(file, LOCK_EX)) }
        }
        guard problem == 0 else { throw failure(path, file, problem) }
        return FileLock(file)
    }

    /// Takes the lock. Returns nil when another holder has it.
    static func ifFree(_ path: FilePath) throws -> FileLock? {
        let file = try open(path)
        switch lock(file, LOCK_EX | LOCK_NB) {
        case 0:
            return FileLock(file)
        case EWOULDBLOCK:
            try file.close()
            return nil
        case let problem:
            throw failure(path, file, problem)
        }
    }

    private static func open(_ path: FilePath) throws -> FileDescriptor {
        do {
            return try FileDescriptor.open(path, .readWrite, options: [.create, .closeOnExec], permissions: .ownerReadWrite)
        } catch let error as Errno {
            let remedy =
                error == .permissionDenied ? ". Run this as the user of the service, the owner of \(path.removingLastComponent())" : ""
            throw EmbeddedPostgresError("\(path) cannot be opened: \(error)\(remedy)")
        }
    }

    /// Locks the file. Returns 0, or the `errno` of the failure.
    private static func lock(_ file: FileDescriptor, _ operation: Int32) -> Int32 {
        while flock(file.rawValue, operation) != 0 {
            if errno != EINTR { return errno }
        }
        return 0
    }

    private static func failure(_ path: FilePath, _ file: FileDescriptor, _ problem: Int32) -> EmbeddedPostgresError {
        Glibc.close(file.rawValue)
        return EmbeddedPostgresError("\(path) cannot be locked: \(String(cString: strerror(problem)))")
    }
}
