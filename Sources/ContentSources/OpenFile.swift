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
    fileprivate init(_ descriptor: FileDescriptor, _ status: Stat) {
        self.descriptor = descriptor
        self.status = status
    }

    deinit {
        // Nothing was written through it, so closing it cannot lose anything.
        Glibc.close(descriptor.rawValue)
    }

    var size: Int { Int(status.size) }

    /// The name by which this process, and only it, can open or link the file again.
    var path: FilePath { FilePath("/proc/self/fd/\(descriptor.rawValue)") }

    /// Opens it for reading and closes it afterwards.
    func read<Result>(_ body: (FileDescriptor) throws(TransferProblem) -> Result) throws(TransferProblem) -> Result {
        let reading: FileDescriptor
        do {
            reading = try Errno.only { try FileDescriptor.open(path, .readOnly, options: .closeOnExec) }
        } catch {
            throw TransferProblem(reading: error)
        }
        defer { Glibc.close(reading.rawValue) }
        return try body(reading)
    }
}

/// A path below an allowed directory.
///
/// Nothing leads out of that directory: no `..`, no symbolic link, also none that is put there at the last moment, because the kernel resolves
/// the path in one go with that condition (openat2(2), `RESOLVE_BENEATH`). An absolute symbolic link counts as leading out.
struct ConfinedPath: Sendable, Hashable {
    /// The allowed directory, without symbolic links.
    let root: FilePath
    /// What was asked for, relative to ``root``.
    let relative: FilePath

    /// Why a file was not opened.
    enum Refusal: Error, Hashable {
        case system(Errno)
        /// A symbolic link or a step upwards leads out of the allowed directory.
        case leadsOut
        /// It is a directory, a pipe, a device or a socket.
        case notAFile
    }

    func appending(_ href: String) -> ConfinedPath {
        // As one text, so that an href with a slash at its start is relative too.
        var path = FilePath(relative.string + "/" + href)
        path.root = nil
        return ConfinedPath(root: root, relative: path)
    }

    func open() throws(Refusal) -> OpenFile {
        let directory: FileDescriptor
        do throws(Errno) {
            directory = try Errno.only {
                try FileDescriptor.open(root, .readOnly, options: [.closeOnExec, .directory, .init(rawValue: CInt(LINUX_O_PATH))])
            }
        } catch {
            throw .system(error)
        }
        defer { Glibc.close(directory.rawValue) }
        let file = FileDescriptor(rawValue: try openBeneath(directory))
        do {
            let status = try file.stat()
            guard status.type == .regular else {
                Glibc.close(file.rawValue)
                throw Refusal.notAFile
            }
            return OpenFile(file, status)
        } catch let error as Errno {
            Glibc.close(file.rawValue)
            throw .system(error)
        } catch {
            throw .notAFile
        }
    }

    private func openBeneath(_ directory: FileDescriptor) throws(Refusal) -> CInt {
        let path = relative.isEmpty ? "." : relative.string
        while true {
            let descriptor = linux_openat2(
                directory.rawValue, path, CInt(LINUX_O_PATH) | O_CLOEXEC, UInt64(RESOLVE_BENEATH) | UInt64(RESOLVE_NO_MAGICLINKS))
            if descriptor >= 0 { return descriptor }
            switch Errno(rawValue: errno) {
            // EAGAIN: something was renamed while a `..` was resolved, so the kernel could not be sure.
            case .interrupted, .resourceTemporarilyUnavailable: continue
            case .improperLink, .tooManySymbolicLinkLevels: throw .leadsOut
            case let error: throw .system(error)
            }
        }
    }
}

extension Errno {
    /// Runs calls of SystemPackage, which are declared to throw anything and throw only this.
    static func only<Result>(_ body: () throws -> Result) throws(Errno) -> Result {
        do {
            return try body()
        } catch let error as Errno {
            throw error
        } catch {
            throw .invalidArgument
        }
    }
}
