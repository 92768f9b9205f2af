import CLinux
import Glibc
import SystemPackage

/// A path below an allowed directory.
///
/// The path cannot lead out of that directory. Neither `..` nor a symbolic link can do so, even if the
/// link is created at the last moment. The kernel checks this condition while it resolves the path
/// (openat2(2), `RESOLVE_BENEATH`). An absolute symbolic link counts as leading out.
struct ConfinedPath: Sendable, Hashable {
    /// The allowed directory, without symbolic links.
    let root: FilePath
    /// The requested path, relative to ``root``.
    let relative: String
    /// Whether ``root`` is the file tree of a Koji instance, whose volumes may be symbolic links.
    ///
    /// If so, the target of a link in `vol/` is an allowed directory too. Only an operator of that Koji
    /// instance can create such a link.
    var hasVolumes = false

    /// The reason why a file was not opened.
    enum Refusal: Error, Hashable {
        case system(Errno)
        /// A symbolic link or a step upwards leads out of the allowed directory.
        case leadsOut
        /// The path names a directory, a pipe, a device or a socket.
        case notAFile
    }

    func appending(_ href: String) -> ConfinedPath {
        // An href that starts with a slash is relative too.
        ConfinedPath(
            root: root, relative: relative.isEmpty ? String(href.drop { $0 == "/" }) : relative + "/" + href, hasVolumes: hasVolumes)
    }

    /// Opens the file.
    ///
    /// - Parameter directory: The open allowed directory of the previous path, which is replaced by the one
    ///   of this path. Many files below the same directory open it only once.
    func open(in directory: inout AllowedDirectory?) throws(Refusal) -> OpenFile {
        do throws(Refusal) {
            return try openBeneath(&directory)
        } catch {
            guard error == .leadsOut, let path = inVolume else { throw error }
            return try path.openBeneath(&directory)
        }
    }

    /// The same file as a path below the target of its volume's link. It is `nil` outside of volumes.
    private var inVolume: ConfinedPath? {
        guard hasVolumes else { return nil }
        let parts = relative.split(separator: "/", maxSplits: 2)
        guard parts.count == 3, parts[0] == "vol", parts[1] != ".", parts[1] != "..",
            let resolved = realpath(root.appending("vol").appending(String(parts[1])).string, nil)
        else { return nil }
        defer { free(resolved) }
        return ConfinedPath(root: FilePath(platformString: resolved), relative: String(parts[2]))
    }

    private func openBeneath(_ directory: inout AllowedDirectory?) throws(Refusal) -> OpenFile {
        let allowed = if let directory, directory.path == root { directory } else { try AllowedDirectory(root) }
        directory = allowed
        let file = FileDescriptor(rawValue: try openBeneath(allowed.descriptor))
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
        let path = relative.isEmpty ? "." : relative
        var attempts = 1000
        while true {
            attempts -= 1
            let descriptor = linux_openat2(
                directory.rawValue, path, CInt(LINUX_O_PATH) | O_CLOEXEC, UInt64(RESOLVE_BENEATH) | UInt64(RESOLVE_NO_MAGICLINKS))
            if descriptor >= 0 { return descriptor }
            switch Errno(rawValue: errno) {
            // EAGAIN: something was renamed while a `..` was resolved, so the kernel could not be sure that the
            // path stays inside.
            case .interrupted: continue
            case .resourceTemporarilyUnavailable where attempts > 0: continue
            case .improperLink, .tooManySymbolicLinkLevels: throw .leadsOut
            case let error: throw .system(error)
            }
        }
    }
}

/// An allowed directory that is open.
final class AllowedDirectory: Sendable {
    let path: FilePath
    fileprivate let descriptor: FileDescriptor

    init(_ path: FilePath) throws(ConfinedPath.Refusal) {
        self.path = path
        do throws(Errno) {
            descriptor = try Errno.only {
                try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .directory, .init(rawValue: CInt(LINUX_O_PATH))])
            }
        } catch {
            throw .system(error)
        }
    }

    deinit {
        // Closing loses no data, because the descriptor only points at the directory (`O_PATH`).
        Glibc.close(descriptor.rawValue)
    }
}
