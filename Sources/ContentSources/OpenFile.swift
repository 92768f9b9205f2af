import CLinux
import Glibc
import SystemPackage

/// A regular file that was found where it may be read, held by a descriptor: whatever happens to its name, this file stays the one meant.
///
/// The descriptor only points at the file (`O_PATH`), which needs no permission to read it and has no effect on it. Blocking.
final class OpenFile: Sendable {
    private let descriptor: FileDescriptor
    let status: Stat

    /// Takes over `descriptor`.
    init(_ descriptor: FileDescriptor, _ status: Stat) {
        self.descriptor = descriptor
        self.status = status
    }

    deinit {
        // Nothing was written through it, so closing it cannot lose anything.
        Glibc.close(descriptor.rawValue)
    }

    var size: Int { Int(status.size) }

    /// Whether its mode lets every user of the host read it.
    var isReadableByAll: Bool { status.rawValue.st_mode & S_IROTH != 0 }

    /// The name by which this process, and only it, can open or link the file again.
    var path: String { "/proc/self/fd/\(descriptor.rawValue)" }

    /// Gives it another name: by the descriptor, so that what was opened and checked is what gets linked. `nil`: it has that name now.
    func link(to destination: FilePath) -> Errno? {
        if linkat(descriptor.rawValue, "", AT_FDCWD, destination.string, CInt(LINUX_AT_EMPTY_PATH)) == 0 { return nil }
        // What ENOENT says before Linux 6.10 of a process without privileges: then by the name, which takes longer.
        if errno == ENOENT, linkat(AT_FDCWD, path, AT_FDCWD, destination.string, AT_SYMLINK_FOLLOW) == 0 { return nil }
        return Errno(rawValue: errno)
    }

    /// Opens it for reading and closes it afterwards.
    func read<Result>(_ body: (FileDescriptor) throws(TransferProblem) -> Result) throws(TransferProblem) -> Result {
        let reading: FileDescriptor
        do {
            reading = try Errno.only { try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec) }
        } catch {
            throw TransferProblem(reading: error)
        }
        defer { Glibc.close(reading.rawValue) }
        return try body(reading)
    }
}
