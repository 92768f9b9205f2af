import Glibc
import SystemPackage

/// A metadata hold protects cached metadata that is in use. While it exists, no process removes the
/// metadata to make room.
///
/// It is a lock on the directory, usually a shared one, and ends with this value. All holds are equal,
/// so that a hold does not make two equal repositories different.
public final class MetadataHold: Hashable, Sendable {
    private let descriptor: FileDescriptor

    /// The number of attempts at a shared lock, and the microseconds between them. They take a second.
    private static let (mostAttempts, pause): (Int, UInt32) = (100, 10_000)

    /// Locks `directory`.
    ///
    /// While another process removes or replaces the directory, a caller that shares it waits, for a second
    /// at most. Blocks.
    ///
    /// - Parameter isShared: `false` for a caller that removes the directory and must be its only user.
    /// - Returns: `nil` if the directory does not exist, or if another hold prevents the lock.
    init?(_ directory: FilePath, isShared: Bool = true) {
        for _ in 1...Self.mostAttempts {
            // A compose continues without a hold. If its metadata is then removed, opening a document fails with
            // an error that says so.
            guard
                let descriptor = try? FileDescriptor.open(directory, .readOnly, options: [.directory, .closeOnExec, .noFollow])
            else { return nil }
            let isLocked = flock(descriptor.rawValue, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0
            // The directory that has the name now can be another one.
            if isLocked, Self.isStill(descriptor, directory) {
                self.descriptor = descriptor
                return
            }
            flock(descriptor.rawValue, LOCK_UN)
            close(descriptor.rawValue)
            if !isLocked, !isShared { return nil }
            // flock(2) without LOCK_NB has no time limit, and the other process may be stopped.
            if !isLocked { usleep(Self.pause) }
        }
        return nil
    }

    deinit {
        // A program that is just being started has a copy of the descriptor, so closing is not enough.
        flock(descriptor.rawValue, LOCK_UN)
        close(descriptor.rawValue)
    }

    /// Whether the directory was not renamed between opening and locking.
    private static func isStill(_ descriptor: FileDescriptor, _ path: FilePath) -> Bool {
        var (opened, named) = (stat(), stat())
        guard fstat(descriptor.rawValue, &opened) == 0, lstat(path.string, &named) == 0 else { return false }
        return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }

    public static func == (a: MetadataHold, b: MetadataHold) -> Bool { true }

    public func hash(into hasher: inout Hasher) {}
}
