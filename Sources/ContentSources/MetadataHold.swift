import Glibc
import SystemPackage

/// A metadata hold keeps metadata of the cache that is in use from being removed when room is needed, by whichever process.
///
/// It is a shared lock on the directory, which ends with this value. Holds make no two repositories different.
public final class MetadataHold: Hashable, Sendable {
    private let descriptor: FileDescriptor

    /// - Parameter isShared: `false` for the one who wants to remove it, who must be the only one.
    /// - Returns: `nil` when the directory is not there, or held by another.
    init?(_ directory: FilePath, isShared: Bool = true) {
        // Without a hold a compose goes on. If its metadata is removed then, opening a document fails and says so.
        guard
            let descriptor = try? FileDescriptor.open(directory, .readOnly, options: [.directory, .closeOnExec, .noFollow])
        else { return nil }
        guard flock(descriptor.rawValue, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0, Self.isStill(descriptor, directory) else {
            close(descriptor.rawValue)
            return nil
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor.rawValue) }

    /// Whether the directory has not been renamed between opening and locking.
    private static func isStill(_ descriptor: FileDescriptor, _ path: FilePath) -> Bool {
        var (opened, named) = (stat(), stat())
        guard fstat(descriptor.rawValue, &opened) == 0, lstat(path.string, &named) == 0 else { return false }
        return opened.st_ino == named.st_ino && opened.st_dev == named.st_dev
    }

    public static func == (a: MetadataHold, b: MetadataHold) -> Bool { true }

    public func hash(into hasher: inout Hasher) {}
}
