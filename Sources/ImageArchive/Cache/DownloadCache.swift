import CLinux
import Compression
public import ForeignText
import Foundation
import Glibc
public import ImageModel
public import SystemPackage

/// A directory with archives of images, as build systems share it between builds and hosts.
///
///     if let hit = try cache.entry(name) { … }
///     let lock = try await cache.lock(name)
///     if let hit = try cache.entry(name) { … }  // another process was faster
///     try write(to: cache.newFile(name))
///     let entry = try cache.publish(name, document, tag: tag, index: nil, under: lock)
///     try cache.deliver(entry, to: workDirectory.appending(name.workName(tag: tag).text))
public struct DownloadCache: Sendable {
    /// An archive in the cache.
    public struct Entry: Hashable, Sendable {
        public let path: FilePath
        public let record: CacheRecord
    }

    /// The check of an archive before it is used.
    public enum Check: Hashable, Sendable {
        /// The SHA-256 of the whole file is computed.
        case digest
        /// If the size and the time of the file are those at which its SHA-256 was computed, it is not
        /// computed again.
        case time
    }

    /// The way in which an archive came into a work directory.
    public enum Delivery: String, Hashable, Sendable {
        case hardLink, reflink, copy
    }

    private static let mostRecordBytes = 2 * ManifestDocument.mostBytes

    private let root: FilePath

    public init(_ root: FilePath) { self.root = root }

    /// Returns the archive if it is in the cache and unchanged. An archive without a side file is not
    /// used, because its image cannot be checked.
    public func entry(_ name: CacheName, check: Check = .digest) throws(ImageArchiveError) -> Entry? {
        let path = path(name)
        guard let bytes = try Self.contents(Self.beside(path, ".json"), atMost: Self.mostRecordBytes),
            let record = try? JSONDecoder().decode(CacheRecord.self, from: Data(bytes)), (try? record.document()) != nil,
            let found = Self.status(of: path), found.size == record.size
        else { return nil }
        switch check {
        case .time where found.modified == record.modified: break
        default: guard try Self.digest(of: path) == record.archive else { return nil }
        }
        return Entry(path: path, record: record)
    }

    /// Waits until no other process has the lock of the place, and takes it.
    public func lock(_ name: CacheName, retryingEvery interval: Duration = .milliseconds(50)) async throws -> CacheLock {
        while true {
            if let lock = try attemptLock(name) { return lock }
            try await Task.sleep(for: interval)
        }
    }

    /// Returns the lock of the place, or `nil` if another process has it.
    public func attemptLock(_ name: CacheName) throws(ImageArchiveError) -> CacheLock? {
        var directory = root
        try Self.make(directory)
        for component in name.directories {
            directory = directory.appending(component.text)
            try Self.make(directory)
        }
        return try CacheLock.attempt(hidden(name, ".lock"))
    }

    /// Returns the path at which the holder of the lock writes the archive.
    public func newFile(_ name: CacheName) -> FilePath { hidden(name, ".part") }

    /// Returns the directory in which the holder of the lock may keep partial downloads. It need not
    /// exist.
    public func partialDownloads(_ name: CacheName) -> FilePath { hidden(name, ".blobs") }

    /// Puts the file at ``newFile(_:)`` into its place, and writes the side file.
    ///
    /// - Parameters:
    ///   - document: the manifest of the image.
    ///   - tag: the tag in the name that the archive gives to the image.
    ///   - index: the digest of the index that listed the manifest.
    ///   - lock: the lock of the place, which the caller still holds.
    public func publish(
        _ name: CacheName, _ document: ManifestDocument, tag: ImageTag, index: ImageDigest?, under lock: CacheLock
    ) throws(ImageArchiveError) -> Entry {
        let new = newFile(name)
        let path = path(name)
        guard let status = Self.status(of: new) else { throw ImageArchiveError(.missing, "The archive \(name.path) was not written.") }
        let record = CacheRecord(
            digest: document.digest, indexDigest: index, tag: tag, manifest: String(decoding: document.bytes, as: UTF8.self),
            mediaType: document.mediaType, archive: try Self.digest(of: new), size: status.size, modified: status.modified)
        let side = Self.beside(path, ".json")
        let newSide = hidden(name, ".json.part")
        try withExtendedLifetime(lock) { () throws(ImageArchiveError) in
            try ImageArchiveError.io(name.file.text) {
                let encoder = JSONEncoder()
                encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
                try encoder.encode(record).write(to: URL(fileURLWithPath: newSide.string))
            }
            // An old side file does not fit the new archive, so a crash in between leads to another download.
            try Self.move(new, to: path)
            try Self.move(newSide, to: side)
        }
        return Entry(path: path, record: record)
    }

    /// Puts an archive into a work directory under another name, and replaces a file that has this name: a
    /// hard link if possible, otherwise a file that shares its blocks, otherwise a copy.
    public func deliver(_ entry: Entry, to target: FilePath) throws(ImageArchiveError) -> Delivery {
        let temporary = target.removingLastComponent().appending(".odcs-\(getpid())-\(UInt32.random(in: 0 ... .max)).part")
        defer { unlink(temporary.string) }
        var delivery = Delivery.hardLink
        if link(entry.path.string, temporary.string) != 0 { delivery = try Self.copy(entry.path, to: temporary) }
        try Self.move(temporary, to: target)
        return delivery
    }
}

extension DownloadCache {
    private func path(_ name: CacheName) -> FilePath { root.appending(name.path) }

    /// Returns a name beside the archive that begins with a dot.
    private func hidden(_ name: CacheName, _ suffix: String) -> FilePath {
        path(name).removingLastComponent().appending(".\(name.file.text)\(suffix)")
    }

    private static func beside(_ path: FilePath, _ suffix: String) -> FilePath { FilePath(path.string + suffix) }

    private static func make(_ directory: FilePath) throws(ImageArchiveError) {
        guard mkdir(directory.string, 0o755) == 0 || errno == EEXIST else {
            throw ImageArchiveError(.io, "\(directory.string): \(Errno(rawValue: errno))")
        }
    }

    private static func move(_ path: FilePath, to target: FilePath) throws(ImageArchiveError) {
        // rename(2) does nothing if both are hard links to one file. The new name is then removed by the
        // caller.
        guard rename(path.string, target.string) == 0 else {
            throw ImageArchiveError(.io, "\(target.lastComponent?.string ?? ""): \(Errno(rawValue: errno))")
        }
    }

    private static func status(of path: FilePath) -> (size: Int, modified: Int)? {
        var status = stat()
        guard lstat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return (Int(status.st_size), status.st_mtim.tv_sec &* 1_000_000_000 &+ status.st_mtim.tv_nsec)
    }

    private static func digest(of path: FilePath) throws(ImageArchiveError) -> ImageDigest {
        var digest = RunningDigest()
        try ImageArchiveError.io(path.lastComponent?.string ?? "") {
            try FileContent.read(path) { digest.update($0) }
        }
        return digest.digest
    }

    /// Returns the bytes of a small file, or `nil` if it does not exist or is larger.
    private static func contents(_ path: FilePath, atMost limit: Int) throws(ImageArchiveError) -> [UInt8]? {
        guard let status = status(of: path), status.size <= limit else { return nil }
        var bytes: [UInt8] = []
        try ImageArchiveError.io(path.lastComponent?.string ?? "") { try FileContent.read(path) { bytes.append(contentsOf: $0) } }
        return bytes
    }

    private static func copy(_ source: FilePath, to target: FilePath) throws(ImageArchiveError) -> Delivery {
        try ImageArchiveError.io(target.lastComponent?.string ?? "") {
            let reading = try FileDescriptor.open(source, .readOnly, options: .closeOnExec)
            defer { Glibc.close(reading.rawValue) }
            let writing = try FileDescriptor.open(
                target, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
            defer { Glibc.close(writing.rawValue) }
            if linux_clone_file(writing.rawValue, reading.rawValue) == 0 { return .reflink }
            while true {
                let count = linux_copy_file_range(reading.rawValue, writing.rawValue, 1 << 30)
                if count == 0 { return .copy }
                guard count > 0 || errno == EINTR else { break }
            }
            // The two file systems cannot copy within the kernel. The offsets are where it stopped.
            var piece = [UInt8](repeating: 0, count: 1 << 20)
            while case let count = try piece.withUnsafeMutableBytes({ try reading.read(into: $0) }), count > 0 {
                _ = try writing.writeAll(piece[..<count])
            }
            return .copy
        }
    }
}
