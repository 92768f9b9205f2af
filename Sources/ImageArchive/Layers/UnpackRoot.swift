import CLinux
import Glibc
import SystemPackage

/// The directory that the layers of an image are unpacked into, held by a descriptor.
///
/// The kernel resolves every path as if this directory were the root of the file system (openat2(2),
/// `RESOLVE_IN_ROOT`). So a symbolic link of the image, even an absolute one or one with `..`, leads
/// to a place inside, where it would lead in a container. The last name of a path is never followed.
final class UnpackRoot {
    let descriptor: OpenDirectory

    /// Opens or creates the directory. Throws if it is not empty.
    init(_ path: FilePath) throws(ImageArchiveError) {
        guard mkdir(path.string, 0o755) == 0 || errno == EEXIST else {
            throw ImageArchiveError(.io, "\(path.string): \(Errno(rawValue: errno))")
        }
        descriptor = OpenDirectory(
            try ImageArchiveError.io(path.string) {
                try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .directory])
            })
        guard try descriptor.names().isEmpty else {
            throw ImageArchiveError(.forbidden, "The directory \(path.string) is not empty. Layers are unpacked into an empty directory.")
        }
    }

    /// Opens a directory of the image. Creates it, and those above it, if `creates` is set. Returns `nil`
    /// if it does not exist.
    func open(_ directory: [[UInt8]], creates: Bool) throws(ImageArchiveError) -> OpenDirectory? {
        if directory.isEmpty { return descriptor }
        if let found = try resolve(directory) { return found }
        guard creates, let name = directory.last, let parent = try open(Array(directory.dropLast()), creates: true) else { return nil }
        guard parent.make(name) else { throw parent.failure(name) }
        guard let made = try resolve(directory) else {
            throw ImageArchiveError(
                .forbidden, "The layer has an entry below \(Self.shown(directory)), which is a symbolic link to nothing.")
        }
        return made
    }

    private func resolve(_ directory: [[UInt8]]) throws(ImageArchiveError) -> OpenDirectory? {
        while true {
            let found = OpenDirectory.withName(Array(directory.joined(separator: [UInt8(ascii: "/")]))) { path in
                linux_openat2(
                    descriptor.number, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC,
                    UInt64(RESOLVE_IN_ROOT) | UInt64(RESOLVE_NO_MAGICLINKS))
            }
            if found >= 0 { return OpenDirectory(FileDescriptor(rawValue: found)) }
            switch Errno(rawValue: errno) {
            case .interrupted, .resourceTemporarilyUnavailable: continue
            case .noSuchFileOrDirectory: return nil
            case .notDirectory:
                throw ImageArchiveError(.forbidden, "The layer has an entry below \(Self.shown(directory)), which is not a directory.")
            case .noFunction:
                throw ImageArchiveError(.unsupported, "Layers are unpacked with openat2(2), which Linux has since 5.6.")
            case let error: throw ImageArchiveError(.io, "\(Self.shown(directory)): \(error)")
            }
        }
    }

    private static func shown(_ path: [[UInt8]]) -> String { TarEntry.shown(Array(path.joined(separator: [UInt8(ascii: "/")]))) }
}

/// A directory of the target, open. Names are single path components and are never followed.
final class OpenDirectory {
    private let descriptor: FileDescriptor
    /// The number by which the kernel knows the directory, on its file system.
    let inode: UInt64

    /// The deepest tree that is removed or pruned. Each level needs a descriptor.
    private static let mostLevels = 300

    /// Takes over `descriptor`.
    init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
        var status = stat()
        inode = fstat(descriptor.rawValue, &status) == 0 ? UInt64(status.st_ino) : 0
    }

    deinit { Glibc.close(descriptor.rawValue) }

    var number: CInt { descriptor.rawValue }

    static func withName<Result>(_ name: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (name.map { CChar(bitPattern: $0) } + [0]).withUnsafeBufferPointer { body($0.baseAddress!) }
    }

    func failure(_ name: [UInt8]) -> ImageArchiveError {
        ImageArchiveError(.io, "\(TarEntry.shown(name)): \(Errno(rawValue: errno))")
    }

    /// Returns the names in the directory, without `.` and `..`.
    func names() throws(ImageArchiveError) -> [[UInt8]] {
        // A descriptor of its own, because fdopendir(3) takes it over.
        let copy = openat(number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { throw failure([UInt8(ascii: ".")]) }
        defer { closedir(stream) }
        var names: [[UInt8]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8), name != Array("..".utf8) { names.append(name) }
        }
        return names
    }

    /// Returns the type bits of a name's mode (`S_IFDIR`, …), or `nil` if there is no such name.
    func type(of name: [UInt8]) -> mode_t? {
        var status = stat()
        let result = Self.withName(name) { fstatat(number, $0, &status, AT_SYMLINK_NOFOLLOW) }
        return result == 0 ? status.st_mode & S_IFMT : nil
    }

    /// Creates a directory. Returns whether it exists now.
    func make(_ name: [UInt8]) -> Bool { Self.withName(name) { mkdirat(number, $0, 0o755) } == 0 || errno == EEXIST }

    /// Opens a directory by its name.
    func directory(_ name: [UInt8]) throws(ImageArchiveError) -> OpenDirectory {
        let found = Self.withName(name) { openat(number, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        guard found >= 0 else { throw failure(name) }
        return OpenDirectory(FileDescriptor(rawValue: found))
    }

    /// Removes a name, and all below it if it is a directory. Keeps every name for which `keeps` returns
    /// true, and the directories above it.
    func remove(
        _ name: [UInt8], levels: Int = mostLevels, keeping keeps: (OpenDirectory, [UInt8]) -> Bool = { _, _ in false }
    ) throws(ImageArchiveError) {
        guard let type = type(of: name) else { return }
        guard type == S_IFDIR else {
            if !keeps(self, name) { try unlink(name, flags: 0) }
            return
        }
        guard levels > 0 else {
            throw ImageArchiveError(.tooLarge, "The layers have directories in more than \(Self.mostLevels) levels.")
        }
        let directory = try directory(name)
        for child in try directory.names() { try directory.remove(child, levels: levels - 1, keeping: keeps) }
        if !keeps(self, name), try directory.names().isEmpty { try unlink(name, flags: AT_REMOVEDIR) }
    }

    private func unlink(_ name: [UInt8], flags: CInt) throws(ImageArchiveError) {
        guard Self.withName(name, { unlinkat(number, $0, flags) }) == 0 else { throw failure(name) }
    }
}
