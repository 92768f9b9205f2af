import CLinux
import Glibc
import SystemPackage

/// A regular file at a path that may be read, held by a descriptor. Even if its name is removed or
/// reused, this value stays the same file.
///
/// The descriptor only points at the file (`O_PATH`). Opening it needs no permission to read the file
/// and has no effect on it. All methods block.
final class OpenFile: Sendable {
    private let descriptor: FileDescriptor
    let status: Stat

    /// Takes over `descriptor`, which is closed with this value.
    init(_ descriptor: FileDescriptor, _ status: Stat) {
        self.descriptor = descriptor
        self.status = status
    }

    deinit {
        // Closing loses no data, because nothing was written through the descriptor.
        Glibc.close(descriptor.rawValue)
    }

    var size: Int { Int(status.size) }

    /// Whether its mode lets every user of the host read the file.
    var isReadableByAll: Bool { status.rawValue.st_mode & S_IROTH != 0 }

    /// The name by which this process can open or link the file again. It is valid only in this process.
    /// Example: `/proc/self/fd/7`.
    var path: String { "/proc/self/fd/\(descriptor.rawValue)" }

    /// Gives the file another name. Returns `nil` on success, otherwise the error.
    ///
    /// It links by the descriptor, so the linked file is the one that was opened and checked.
    func link(to destination: FilePath) -> Errno? {
        if linkat(descriptor.rawValue, "", AT_FDCWD, destination.string, CInt(LINUX_AT_EMPTY_PATH)) == 0 { return nil }
        // Before Linux 6.10 a process without privileges gets ENOENT here. The file is then linked by its name
        // in /proc, which takes longer.
        if errno == ENOENT, linkat(AT_FDCWD, path, AT_FDCWD, destination.string, AT_SYMLINK_FOLLOW) == 0 { return nil }
        return Errno(rawValue: errno)
    }

    /// Opens the file for reading, runs `body` and closes the file.
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
