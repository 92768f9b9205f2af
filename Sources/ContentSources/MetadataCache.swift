import Foundation
import Glibc
import Repodata
import SystemPackage

/// The metadata of repositories on this host's disk: one directory for each repomd.xml, named by its SHA-256 and the cache's version, and complete from its
/// first moment.
///
/// Any number of workers and processes use it at once: each prepares a directory of its own and gives it its name by one rename. Whoever is
/// first wins, and the others take what is there. All methods block.
struct MetadataCache: Sendable {
    /// Of directories under preparation; one that is older than ``abandonedAfter`` was left by a process that died.
    private static let preparing = ".preparing-"
    private static let abandonedAfter = 24.0 * 3600
    /// What is kept of a repository changes with it; directories of another version are nobody's any more, and removed like all that nobody asks for.
    private static let version = 2
    /// What is kept besides repomd.xml; a repository need not have all of them.
    static let documents: KeyValuePairs = [
        "primary": "primary.xml", "filelists": "filelists.xml", "other": "other.xml", "modules": "modules.yaml",
    ]

    let directory: FilePath
    /// The bytes that all metadata may have together.
    let limit: Int

    /// What is kept of a repository.
    struct Found: Sendable {
        let metadata: RepositoryMetadata
        let repomd: [UInt8]
        /// As long as it lives, the metadata is not removed for want of room.
        let hold: MetadataHold?
    }

    /// The metadata whose repomd.xml has the checksum `id`, and the bytes of that file. The directory's time says when it was last asked for.
    func find(_ id: Checksum) throws(Errno) -> Found? {
        guard let place = place(of: id) else { return nil }
        // Before anything of it is looked at.
        let hold = MetadataHold(place)
        let repomd: [UInt8]
        do {
            repomd = try RegularFile.contents(of: place.appending("repomd.xml"))
        } catch .noSuchFileOrDirectory {
            return nil
        }
        // A directory that cannot be touched merely looks older than it is.
        utimensat(AT_FDCWD, place.string, nil, 0)
        let metadata = RepositoryMetadata(
            id: id, directory: place, hasFilelists: place.appending("filelists.xml").exists, hasOther: place.appending("other.xml").exists,
            hasModules: place.appending("modules.yaml").exists)
        return Found(metadata: metadata, repomd: repomd, hold: hold)
    }

    func has(_ id: Checksum) -> Bool { place(of: id)?.exists ?? false }

    /// A new, empty directory for ``publish(_:as:)``.
    func prepare() throws(Errno) -> FilePath {
        try directory.createDirectory()
        removeAbandoned()
        let fresh = directory.appending(Self.preparing + UUID().uuidString)
        try fresh.createDirectory()
        return fresh
    }

    /// Makes the finished directory `fresh` the metadata of `id`, or drops it where another one was faster.
    func publish(_ fresh: FilePath, as id: Checksum) throws(Errno) {
        guard let place = place(of: id) else { throw .invalidArgument }
        for document in ["repomd.xml"] + Self.documents.map(\.value) {
            // The name must not survive a power failure without the bytes.
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

    /// Removes what nobody has asked for since `time`; tells how many.
    func removeUnused(since time: Date) throws(Errno) -> Int {
        var removed = 0
        for name in try names() where Self.isOfMetadata(name) {
            let place = directory.appending(name)
            guard let used = lastUse(of: place), used < time else { continue }
            if try remove(place) { removed += 1 }
        }
        return removed
    }

    /// Whether it was there to be removed.
    private func remove(_ place: FilePath) throws(Errno) -> Bool {
        // By a rename first, so that nobody finds half of it.
        let doomed = directory.appending(Self.preparing + UUID().uuidString)
        guard rename(place.string, doomed.string) == 0 else { return false }
        try discard(doomed)
        return true
    }

    /// Removes what was used least recently until the rest is within ``limit``; what is held stays.
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

    /// Returns how many bytes the files of a directory take on the disk. Another process may remove a file or the directory meanwhile: what cannot be
    /// looked at takes nothing.
    private func bytes(in place: FilePath) -> Int {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: place.string)) ?? []
        return files.reduce(0) { sum, file in sum + ((try? place.appending(file).stat()).map { Int($0.rawValue.st_blocks) * 512 } ?? 0) }
    }

    /// The directory's time; `nil` for one that is gone.
    private func lastUse(of path: FilePath) -> Date? {
        // Whatever keeps it from being looked at, it is not there to be used.
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

    /// Where what is kept as `id` lies; `nil` for what is no SHA-256.
    func place(of id: Checksum) -> FilePath? {
        guard id.algorithm == .sha256, Self.isSHA256(id.hex[...]) else { return nil }
        return directory.appending("\(id.hex)-\(Self.version)")
    }

    /// Whether a directory is of this cache, of whichever version; others keep other things beside it.
    private static func isOfMetadata(_ name: String) -> Bool { isSHA256(name.prefix { $0 != "-" }) }

    private static func isSHA256(_ text: Substring) -> Bool { text.utf8.count == 64 && text.allSatisfy { $0.isASCII && $0.isHexDigit } }

    /// Best effort: what cannot be removed now is tried again the next time.
    private func removeAbandoned() {
        for name in (try? names()) ?? [] where name.hasPrefix(Self.preparing) {
            let path = directory.appending(name)
            guard let used = lastUse(of: path), used.timeIntervalSinceNow < -Self.abandonedAfter else { continue }
            try? discard(path)
        }
    }
}
