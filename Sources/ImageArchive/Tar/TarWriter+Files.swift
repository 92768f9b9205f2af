import Foundation
public import SystemPackage

/// Files of the disk in a tar.
extension TarWriter {
    /// The permissions that files of the disk get in a tar.
    public enum Permissions: Hashable, Sendable {
        /// Those on the disk.
        case kept
        /// 755 for folders and for files that the owner may run, and 644 for other files. So they do not
        /// depend on the umask of the person who made the files.
        case usual

        func value(of mode: UInt32, isFolder: Bool = false) -> UInt32 {
            switch self {
            case .kept: mode
            case .usual: isFolder || mode & 0o100 != 0 ? 0o755 : 0o644
            }
        }
    }

    /// Adds a file, folder or symbolic link of the disk, without its times and owner.
    ///
    /// - Parameters:
    ///   - name: Its path in the tar, without a slash at the end. Example: `src/main.c`.
    ///   - permissions: Those in the tar. Links have all permissions.
    /// - Returns: `false` if it is anything else, for example a pipe. Nothing was written then.
    /// - Throws: `Errno`, an error of Foundation, or ``ImageArchiveError``. It has the code `io` if the
    ///   file changed while it was read.
    public func add(_ file: FilePath, as name: String, permissions: Permissions = .kept) throws -> Bool {
        let attributes = try FileManager.default.attributesOfItem(atPath: file.string)
        let mode = UInt32((attributes[.posixPermissions] as? Int) ?? 0o644) & 0o7777
        switch attributes[.type] as? FileAttributeType {
        case .typeDirectory:
            var entry = TarEntry(.directory, path: Array("\(name)/".utf8))
            entry.mode = .init(permissions.value(of: mode, isFolder: true))
            try add(entry)
        case .typeSymbolicLink:
            var entry = TarEntry(.symbolicLink, path: Array(name.utf8))
            entry.link = Array(try FileManager.default.destinationOfSymbolicLink(atPath: file.string).utf8)
            entry.mode = 0o777
            try add(entry)
        case .typeRegular:
            let size = (attributes[.size] as? Int) ?? 0
            var entry = TarEntry(file: name, size: size)
            entry.mode = .init(permissions.value(of: mode))
            try begin(entry)
            guard try append(file) == size else {
                throw ImageArchiveError(.io, "\(name) changed while it was read. Try again.")
            }
            try end(size: size)
        default: return false
        }
        return true
    }

    /// Writes the content of a file. Returns the number of its bytes.
    private func append(_ path: FilePath) throws -> Int {
        let file = try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec])
        return try file.closeAfter {
            var total = 0
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 1)
            defer { buffer.deallocate() }
            while case let count = try file.read(into: buffer), count > 0 {
                try write(UnsafeRawBufferPointer(rebasing: buffer.prefix(count)))
                total += count
            }
            return total
        }
    }
}
