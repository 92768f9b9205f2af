import CLinux
import ComposeModel
import Foundation
import Glibc
import NIOCore
import NIOPosix
import SystemPackage

/// A served file is an open file below a target directory, with its size and time of modification when
/// it was opened. It is closed when the last reference to it is released.
final class ServedFile: Sendable {
    let size: Int
    let modified: Date
    /// The strong entity tag. A different file, size or time of modification gives a different tag.
    let entityTag: String
    private let descriptor: SystemPackage.FileDescriptor

    fileprivate init(_ descriptor: SystemPackage.FileDescriptor, _ status: linux_status) {
        self.descriptor = descriptor
        size = Int(status.size)
        modified = Date(timeIntervalSince1970: TimeInterval(status.seconds))
        let parts = [Int(status.inode), size, Int(status.seconds), Int(status.nanoseconds)]
        entityTag = "\"\(parts.map { String($0, radix: 16) }.joined(separator: "-"))\""
    }

    deinit {
        // Nothing more is read. A failure to close has no useful meaning to a caller.
        try? descriptor.close()
    }

    /// Returns the bytes from `offset` on, at most `count`, like ``read(from:count:)``. Blocks.
    func bytes(from offset: Int, count: Int) throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = try descriptor.read(fromAbsoluteOffset: Int64(offset), into: UnsafeMutableRawBufferPointer(buffer))
        }
    }

    /// Returns the bytes from `offset` on, at most `count`. At the end of the file there may be fewer.
    func read(from offset: Int, count: Int) async throws -> ByteBuffer {
        try await NIOThreadPool.singleton.runIfActive {
            var buffer = ByteBufferAllocator().buffer(capacity: count)
            _ = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { bytes in
                try self.descriptor.read(
                    fromAbsoluteOffset: Int64(offset), into: UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(count)))
            }
            return buffer
        }
    }
}

/// A served entry is the file or directory that a name below a target directory leads to.
enum ServedEntry: Sendable {
    struct Child: Sendable {
        let name: String
        let isDirectory: Bool
        let size: Int
    }

    case file(ServedFile)
    case directory([Child])

    /// Opens `names`, one below the other, off the event loop.
    ///
    /// - Returns: `nil` if there is no such file, or if a link leads outside of the composes.
    static func open(_ names: [String], below root: FilePath) async throws -> ServedEntry? {
        try await NIOThreadPool.singleton.runIfActive {
            if let entry = try open(names, in: root) { return entry }
            guard names.count == 2, names[1] == ComposeLayout.log, let id = ComposeLayout(directoryName: names[0])?.id else { return nil }
            return try entry(at: root.appending(ComposeLayout(id: id).pendingLog))
        }
    }

    /// Opens the file at a path below a target directory, off the event loop.
    ///
    /// - Parameter path: A path that this service chose itself. Links in it are followed only as far as
    ///   they stay at the same place.
    /// - Returns: `nil` if there is no such file.
    static func open(_ path: String, in root: FilePath) async throws -> ServedFile? {
        try await NIOThreadPool.singleton.runIfActive {
            guard let base = resolved(root), let file = resolved(base.appending(path)), file == base.appending(path),
                case .file(let served)? = try entry(at: file)
            else { return nil }
            return served
        }
    }

    /// Returns whether a name directly below a target directory is that of a compose. Nothing else is ever
    /// served.
    static func isCompose(_ name: String) -> Bool { ComposeLayout(directoryName: name) != nil }

    private static func open(_ names: [String], in root: FilePath) throws -> ServedEntry? {
        guard let base = resolved(root) else { return nil }
        guard !names.isEmpty else { return .directory(try children(of: base).filter { isCompose($0.name) }) }
        guard let path = resolved(base.appending(names.compactMap { FilePath.Component($0) })) else { return nil }
        // The target of the links decides. It must be below the target directory, in the directory of a
        // compose.
        guard path.starts(with: base), let first = path.components.dropFirst(base.components.count).first, isCompose(first.string)
        else { return nil }
        return try entry(at: path)
    }

    /// Returns the path with all symbolic links resolved, or `nil` if it leads nowhere.
    private static func resolved(_ path: FilePath) -> FilePath? {
        guard let real = realpath(path.string, nil) else { return nil }
        defer { free(real) }
        return FilePath(platformString: real)
    }

    /// - Returns: `nil` if the entry is neither a file nor a directory, or if the server may not read it.
    private static func entry(at path: FilePath) throws -> ServedEntry? {
        let descriptor: SystemPackage.FileDescriptor
        do {
            // Opening a pipe must not make the server wait for a program that writes to it.
            descriptor = try SystemPackage.FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec, .nonBlocking])
        } catch Errno.noSuchFileOrDirectory, Errno.notDirectory, Errno.tooManySymbolicLinkLevels, Errno.permissionDenied {
            return nil
        }
        var status = linux_status()
        let kind = linux_status_of(descriptor.rawValue, &status) == 0 ? status.kind : 0
        if kind == S_IFREG { return .file(ServedFile(descriptor, status)) }
        try descriptor.close()
        return kind == S_IFDIR ? .directory(try children(of: path)) : nil
    }

    private static func children(of directory: FilePath) throws -> [Child] {
        let keys: Set<URLResourceKey> = [.isDirectoryKey, .fileSizeKey]
        let urls = try FileManager.default.contentsOfDirectory(
            at: URL(filePath: directory.string), includingPropertiesForKeys: Array(keys), options: .skipsHiddenFiles)
        return urls.compactMap { url in
            // Entries that vanished meanwhile are left out.
            guard let values = try? url.resourceValues(forKeys: keys) else { return nil }
            return Child(name: url.lastPathComponent, isDirectory: values.isDirectory ?? false, size: values.fileSize ?? 0)
        }.sorted { ($0.name) < ($1.name) }
    }
}
