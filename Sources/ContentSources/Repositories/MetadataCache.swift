import Compression
import Foundation
import Glibc
import Repodata
import SystemPackage

/// A metadata cache keeps the metadata of repositories on this host's disk.
///
/// There is one directory for each repomd.xml, named by its SHA-256 and the version of the cache. A
/// directory is complete from the moment it gets its name.
///
/// Any number of workers and processes can use the cache at once. Each prepares its own directory and
/// renames it in one step. The first one wins, and the others use its directory. All methods block.
struct MetadataCache: Sendable {
    /// The prefix of directories under preparation. One that is older than ``abandonedAfter`` was left by a
    /// process that died.
    private static let preparing = ".preparing-"
    private static let abandonedAfter = 24.0 * 3600
    /// The version of the kept files. It changes when other files are kept of a repository, or in another
    /// form.
    ///
    /// Directories of another version are never used again. They are removed like all unused directories.
    private static let version = 2
    /// The documents that are kept besides repomd.xml, with their file names. A repository need not have
    /// all of them.
    static let documents: KeyValuePairs = [
        "primary": "primary.xml", "filelists": "filelists.xml", "other": "other.xml", "modules": "modules.yaml",
    ]

    let directory: FilePath
    /// The maximum size in bytes of all metadata together.
    let limit: Int

    /// The kept metadata of one repository.
    struct Found: Sendable {
        let metadata: RepositoryMetadata
        let repomd: [UInt8]
        /// A hold on the directory. While it exists, the metadata is not removed to make room.
        let hold: MetadataHold?
    }

    /// Returns the metadata whose repomd.xml has the checksum `id`, and the bytes of repomd.xml. Returns
    /// `nil` if it is not in the cache.
    ///
    /// The modification time of the directory is set to now, so it records the last use.
    func find(_ id: Checksum) throws(Errno) -> Found? {
        guard let place = place(of: id) else { return nil }
        // The hold is taken before any file of the directory is read.
        let hold = MetadataHold(place)
        let repomd: [UInt8]
        do {
            repomd = try RegularFile.contents(of: place.appending("repomd.xml"))
        } catch .noSuchFileOrDirectory {
            return nil
        }
        // If the time cannot be set, the directory only looks older than it is.
        utimensat(AT_FDCWD, place.string, nil, 0)
        let metadata = RepositoryMetadata(
            id: id, directory: place, hasFilelists: place.appending("filelists.xml").exists, hasOther: place.appending("other.xml").exists,
            hasModules: place.appending("modules.yaml").exists)
        return Found(metadata: metadata, repomd: repomd, hold: hold)
    }

    func has(_ id: Checksum) -> Bool { place(of: id)?.exists ?? false }

    /// Creates and returns a new, empty directory for ``publish(_:as:)``.
    func prepare() throws(Errno) -> FilePath {
        try directory.createDirectory()
        removeAbandoned()
        let fresh = directory.appending(Self.preparing + UUID().uuidString)
        try fresh.createDirectory()
        return fresh
    }

    /// Makes the finished directory `fresh` the metadata of `id`. If another process was faster, `fresh` is
    /// removed.
    func publish(_ fresh: FilePath, as id: Checksum) throws(Errno) {
        guard let place = place(of: id) else { throw .invalidArgument }
        for document in ["repomd.xml"] + Self.documents.map(\.value) {
            // After a power failure the name must not exist without the bytes.
            do { try RegularFile.synchronize(fresh.appending(document)) } catch .noSuchFileOrDirectory {}
        }
        let hold = MetadataHold(fresh)
        guard rename(fresh.string, place.string) != 0 else {
            return try withExtendedLifetime(hold) { () throws(Errno) in try makeRoom() }
        }
        switch Errno(rawValue: errno) {
        case .directoryNotEmpty, .fileExists: try discard(fresh)
        case let error: throw error
        }
    }

    /// Removes a directory that will not be published.
    func discard(_ fresh: FilePath) throws(Errno) {
        do {
            try FileManager.default.removeItem(atPath: fresh.string)
        } catch let error as CocoaError where error.code == .fileNoSuchFile {
            return
        } catch {
            throw .ioError
        }
    }

    /// Removes the metadata that was not used since `time`, and returns the number of removed directories.
    func removeUnused(since time: Date) throws(Errno) -> Int {
        var removed = 0
        for name in try names() where Self.isOfMetadata(name) {
            let place = directory.appending(name)
            guard let used = lastUse(of: place), used < time else { continue }
            if try remove(place) { removed += 1 }
        }
        return removed
    }

    /// Removes a directory. Returns whether it existed.
    private func remove(_ place: FilePath) throws(Errno) -> Bool {
        // It is renamed first, so that no reader finds a partly removed directory.
        let doomed = directory.appending(Self.preparing + UUID().uuidString)
        guard rename(place.string, doomed.string) == 0 else { return false }
        try discard(doomed)
        return true
    }

    /// Removes the least recently used metadata until the rest is within ``limit``. Metadata with a hold
    /// stays.
    func makeRoom() throws(Errno) {
        var kept: [(place: FilePath, used: Date, bytes: Int)] = []
        for name in try names() where Self.isOfMetadata(name) {
            let place = directory.appending(name)
            if let used = lastUse(of: place) { kept.append((place, used, bytes(in: place))) }
        }
        var total = kept.reduce(0) { $0 + $1.bytes }
        for (place, _, bytes) in kept.sorted(by: { $0.used < $1.used }) where total > limit {
            guard let hold = MetadataHold(place, isShared: false) else { continue }
            try withExtendedLifetime(hold) { () throws(Errno) in if try remove(place) { total -= bytes } }
        }
    }

    /// Returns the number of bytes that the files of a directory occupy on the disk.
    ///
    /// Another process may remove a file or the directory meanwhile. A file whose status cannot be read
    /// counts as 0 bytes.
    private func bytes(in place: FilePath) -> Int {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: place.string)) ?? []
        return files.reduce(0) { sum, file in sum + ((try? place.appending(file).stat()).map { Int($0.rawValue.st_blocks) * 512 } ?? 0) }
    }

    /// Returns the modification time of the directory, or `nil` if its status cannot be read.
    private func lastUse(of path: FilePath) -> Date? {
        // A directory whose status cannot be read, for any reason, counts as missing.
        guard let time = (try? path.stat())?.st_mtim else { return nil }
        return Date(timeIntervalSince1970: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
    }

    private func names() throws(Errno) -> [String] {
        guard directory.exists else { return [] }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory.string)
        } catch {
            throw .ioError
        }
    }

    /// Returns the directory for the metadata of `id`, or `nil` if `id` is not a SHA-256.
    func place(of id: Checksum) -> FilePath? {
        guard id.algorithm == .sha256, Self.isSHA256(id.hex[...]) else { return nil }
        return directory.appending("\(id.hex)-\(Self.version)")
    }

    /// Whether a directory belongs to this cache, in any version. Other parts of the service keep other
    /// files beside it.
    private static func isOfMetadata(_ name: String) -> Bool { isSHA256(name.prefix { $0 != "-" }) }

    private static func isSHA256(_ text: Substring) -> Bool { text.utf8.count == 64 && text.allSatisfy { $0.isASCII && $0.isHexDigit } }

    /// Removes directories that a dead process left. A directory that cannot be removed now is tried again
    /// the next time.
    private func removeAbandoned() {
        for name in (try? names()) ?? [] where name.hasPrefix(Self.preparing) {
            let path = directory.appending(name)
            guard let used = lastUse(of: path), used.timeIntervalSinceNow < -Self.abandonedAfter else { continue }
            try? discard(path)
        }
    }
}
