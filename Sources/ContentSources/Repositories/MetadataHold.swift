import Glibc
import SystemPackage

/// A metadata hold protects cached metadata that is in use. While it exists, no process removes the
/// metadata to make room.
///
/// It is a shared lock on the directory, and ends with this value. All holds are equal, so that a hold
/// does not make two equal repositories different.
public final class MetadataHold: Hashable, Sendable {
    private let descriptor: FileDescriptor

    /// The number of times that the directory may be another one.
    private static let mostAttempts = 3

    /// Locks `directory`.
    ///
    /// - Parameter isShared: `false` for a caller that removes the directory and must be its only user.
    /// - Returns: `nil` if the directory does not exist, or if another hold prevents the lock.
    init?(_ directory: FilePath, isShared: Bool = true) {
        // While another process removes or replaces the directory, a reader waits. The directory that has the
        // name afterwards is another one.
        for _ in 1...Self.mostAttempts {
            // A compose continues without a hold. If its metadata is then removed, opening a document fails with
            // an error that says so.
            guard
                let descriptor = try? FileDescriptor.open(directory, .readOnly, options: [.directory, .closeOnExec, .noFollow])
            else { return nil }
            let isLocked = flock(descriptor.rawValue, isShared ? LOCK_SH : LOCK_EX | LOCK_NB) == 0
            if isLocked, Self.isStill(descriptor, directory) {
                self.descriptor = descriptor
                return
            }
            close(descriptor.rawValue)
            if !isLocked { return nil }
        }
        return nil
    }

    deinit { close(descriptor.rawValue) }

    /// Whether the directory was not renamed between opening and locking.
    private static func isStill(_ descriptor: FileDescriptor, _ path: FilePath) -> Bool {
        var (opened, named) = (stat(), stat())
        guard fstat(descriptor.rawValue, &opened) == 0, lstat(path.string, &named) == 0 else { return false }
        return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }

    public static func == (a: MetadataHold, b: MetadataHold) -> Bool { true }

    public func hash(into hasher: inout Hasher) {}
}
