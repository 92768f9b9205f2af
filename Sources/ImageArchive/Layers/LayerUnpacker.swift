import Glibc
public import SystemPackage

/// Unpacks the layers of an image into a directory, in order, so that the directory shows the files of
/// a container.
///
/// No entry can write, link or remove a file outside of the directory. Devices and pipes are left out.
/// Extended attributes and the times of directories are not kept. If a layer throws, the directory is
/// incomplete, and the caller removes it.
///
///     let unpacker = try LayerUnpacker(into: "rootfs")
///     for layer in layers {
///         unpacker.beginLayer()
///         let reader = LayerReader(layer)
///         while let bytes = next() { try reader.read(bytes, unpacker) }
///         try reader.finish(unpacker)
///     }
public final class LayerUnpacker: TarVisitor {
    private let root: UnpackRoot
    private let options: UnpackOptions
    private let isRoot = geteuid() == 0
    public private(set) var report = UnpackReport()

    /// The names that the current layer added, as hashes of the directory's inode and the name. A whiteout
    /// keeps them, because it hides only the layers below. The hash is seeded, so no image can choose names
    /// that collide.
    private var added: Set<Int> = []
    /// The directory of the last entry. The next entry is often in the same one.
    private var lastParent: (path: [[UInt8]], directory: OpenDirectory)?
    private var file: (entry: TarEntry, descriptor: FileDescriptor)?

    public init(into directory: FilePath, options: UnpackOptions = UnpackOptions()) throws(ImageArchiveError) {
        root = try UnpackRoot(directory)
        self.options = options
    }

    deinit { closeFile() }

    /// Starts the next layer, which changes the layers before it.
    public func beginLayer() {
        closeFile()
        added.removeAll()
    }

    public func begin(_ entry: TarEntry) throws(ImageArchiveError) {
        switch try LayerChange(entry) {
        case .root, .ignored: return
        case .opaque(let directory): try hideAll(in: directory)
        case .whiteout(let parent, let name): try hide(name, in: parent)
        case .add(let parent, let name): try add(entry, name, in: parent)
        }
    }

    public func content(_ bytes: UnsafeRawBufferPointer) throws(ImageArchiveError) {
        guard let file else { return }
        try ImageArchiveError.io(file.entry.shownPath) { _ = try file.descriptor.writeAll(bytes) }
    }

    public func endEntry() throws(ImageArchiveError) {
        guard let file else { return }
        self.file = nil
        finish(file.entry, file.descriptor.rawValue)
        // Network file systems report a full disk only here.
        guard Glibc.close(file.descriptor.rawValue) == 0 else {
            throw ImageArchiveError(.io, "\(file.entry.shownPath): \(Errno(rawValue: errno))")
        }
    }

    private func closeFile() {
        if let file { Glibc.close(file.descriptor.rawValue) }
        file = nil
    }
}

// MARK: Whiteouts

extension LayerUnpacker {
    private func hideAll(in path: [[UInt8]]) throws(ImageArchiveError) {
        report.count(0)
        guard let directory = try root.open(path, creates: false) else { return }
        for name in try directory.names() { try directory.remove(name, keeping: isAdded) }
        lastParent = nil
    }

    private func hide(_ name: [UInt8], in path: [[UInt8]]) throws(ImageArchiveError) {
        report.count(0)
        guard let parent = try root.open(path, creates: false) else { return }
        try parent.remove(name, keeping: isAdded)
        lastParent = nil
    }

    private func isAdded(_ directory: OpenDirectory, _ name: [UInt8]) -> Bool { added.contains(Self.key(directory, name)) }

    private static func key(_ directory: OpenDirectory, _ name: [UInt8]) -> Int {
        var hasher = Hasher()
        hasher.combine(directory.inode)
        hasher.combine(name)
        return hasher.finalize()
    }
}

// MARK: Files, directories and links

extension LayerUnpacker {
    private func add(_ entry: TarEntry, _ name: [UInt8], in path: [[UInt8]]) throws(ImageArchiveError) {
        switch entry.kind {
        case .characterDevice, .blockDevice: return report.leaveOut(entry, because: "it is a device")
        case .fifo: return report.leaveOut(entry, because: "it is a pipe")
        case .other: return report.leaveOut(entry, because: "its kind is unknown")
        case .file, .directory, .hardLink, .symbolicLink: break
        }
        let parent = try openParent(path)
        switch entry.kind {
        case .directory: try addDirectory(entry, name, in: parent)
        case .symbolicLink: try addSymbolicLink(entry, name, in: parent)
        case .hardLink: try addHardLink(entry, name, in: parent)
        default: try addFile(entry, name, in: parent)
        }
        added.insert(Self.key(parent, name))
        report.count(entry.size)
    }

    private func openParent(_ path: [[UInt8]]) throws(ImageArchiveError) -> OpenDirectory {
        if let lastParent, lastParent.path == path { return lastParent.directory }
        guard let directory = try root.open(path, creates: true) else {
            throw ImageArchiveError(.io, "A directory of the layer could not be created.")
        }
        lastParent = (path, directory)
        return directory
    }

    /// Makes room for an entry that replaces an earlier one of the same name.
    private func clear(_ name: [UInt8], in parent: OpenDirectory) throws(ImageArchiveError) {
        guard let type = parent.type(of: name) else { return }
        try parent.remove(name)
        // The directory of the last entry may have been below a directory or link that is gone.
        if type == S_IFDIR || type == S_IFLNK { lastParent = nil }
    }

    private func addFile(_ entry: TarEntry, _ name: [UInt8], in parent: OpenDirectory) throws(ImageArchiveError) {
        try clear(name, in: parent)
        let descriptor = OpenDirectory.withName(name) {
            openat(parent.number, $0, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
        guard descriptor >= 0 else { throw parent.failure(name) }
        file = (entry, FileDescriptor(rawValue: descriptor))
    }

    private func addDirectory(_ entry: TarEntry, _ name: [UInt8], in parent: OpenDirectory) throws(ImageArchiveError) {
        if parent.type(of: name) != S_IFDIR { try clear(name, in: parent) }
        guard parent.make(name) else { throw parent.failure(name) }
        finish(entry, try parent.directory(name).number)
    }

    private func addSymbolicLink(_ entry: TarEntry, _ name: [UInt8], in parent: OpenDirectory) throws(ImageArchiveError) {
        guard !entry.link.isEmpty, !entry.link.contains(0) else {
            throw ImageArchiveError(.malformed, "The layer has the symbolic link \(entry.shownPath) without a target.")
        }
        try clear(name, in: parent)
        let made = OpenDirectory.withName(entry.link) { target in
            OpenDirectory.withName(name) { symlinkat(target, parent.number, $0) }
        }
        guard made == 0 else { throw parent.failure(name) }
        if options.keepsOwners, isRoot {
            _ = OpenDirectory.withName(name) {
                fchownat(
                    parent.number, $0, UInt32(truncatingIfNeeded: entry.owner), UInt32(truncatingIfNeeded: entry.group),
                    AT_SYMLINK_NOFOLLOW)
            }
        }
    }

    private func addHardLink(_ entry: TarEntry, _ name: [UInt8], in parent: OpenDirectory) throws(ImageArchiveError) {
        var target = try LayerPath(entry.link, of: entry).components
        guard let targetName = target.popLast(), let targetParent = try root.open(target, creates: false),
            let type = targetParent.type(of: targetName), type == S_IFREG || type == S_IFLNK
        else {
            throw ImageArchiveError(
                .malformed,
                "The layer has the hard link \(entry.shownPath) to \(TarEntry.shown(entry.link)), which is not a file of the image.")
        }
        // A link to itself is there already.
        if targetParent.inode == parent.inode, targetName == name { return }
        try clear(name, in: parent)
        let made = OpenDirectory.withName(targetName) { from in
            OpenDirectory.withName(name) { linkat(targetParent.number, from, parent.number, $0, 0) }
        }
        guard made == 0 else { throw parent.failure(name) }
    }

    /// Sets owner, mode and time of a file or directory. An error is of no consequence for its content.
    private func finish(_ entry: TarEntry, _ descriptor: CInt) {
        if options.keepsOwners, isRoot {
            _ = fchown(descriptor, UInt32(truncatingIfNeeded: entry.owner), UInt32(truncatingIfNeeded: entry.group))
        }
        var mode = mode_t(entry.mode) & (options.keepsSpecialBits ? 0o7777 : 0o777)
        if entry.kind == .directory {
            // Others than root could not unpack into the directory, nor remove it.
            if !isRoot { mode |= 0o700 }
        } else {
            let time = timespec(tv_sec: entry.modified, tv_nsec: 0)
            withUnsafePointer(to: (time, time)) { times in
                times.withMemoryRebound(to: timespec.self, capacity: 2) { _ = futimens(descriptor, $0) }
            }
        }
        _ = fchmod(descriptor, mode)
    }
}
