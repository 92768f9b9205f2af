import Compression
import Foundation
import Glibc
import Repodata
import SystemPackage

/// A metadata cache keeps the metadata of repositories on this host's disk.
///
/// There is one directory for each repomd.xml, named by its SHA-256 and the version of the cache. A
/// directory is complete from the moment it gets its name. It has whole documents, or it is a
/// layer: the differences to the documents of another directory, and links to them
/// (``RepositoryBase``).
///
/// The directory `latest` has a file for each location. It names the last whole revision, with which
/// the next one is compared, and the last revisions. Older revisions of the location are removed.
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
    private static let version = 3
    /// The directory of the names of revisions.
    private static let latest = "latest"
    /// The number of revisions of one location that are kept, besides the one that later revisions are
    /// compared with. An attempt at a compose that is repeated needs the revision of the first attempt.
    private static let mostRevisions = 4
    /// The documents that are kept besides repomd.xml, with their file names. A repository need not have
    /// all of them.
    static let documents: KeyValuePairs = [
        "primary": "primary.xml", "filelists": "filelists.xml", "other": "other.xml", "modules": "modules.yaml",
    ]

    let directory: FilePath
    /// The maximum size in bytes of all metadata together.
    let limit: Int
    let knownBases = KnownBases()

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
    /// The modification time of the directory is set to now, so it records the last use. If repomd.xml or
    /// a layer is damaged, the directory is removed, so that the repository is read again.
    ///
    /// - Parameters:
    ///   - location: The location that the repository is read from.
    ///   - damage: Receives the damage that was found.
    func find(_ id: Checksum, of location: String? = nil, damage: (RepodataError) -> Void = { _ in }) throws(Errno) -> Found? {
        guard let place = place(of: id) else { return nil }
        // The hold is taken before any file of the directory is read.
        let hold = MetadataHold(place)
        let repomd: [UInt8]
        do {
            repomd = try RegularFile.contents(of: place.appending("repomd.xml"))
        } catch .noSuchFileOrDirectory {
            guard place.exists else { return nil }
            // With its name, the directory would be in the way of the metadata that is read again.
            damage(RepodataError(.malformed, "repomd.xml is missing"))
            _ = try remove(place)
            return nil
        }
        let base: Checksum?
        do throws(RepodataError) {
            guard try Digest.of(repomd, .sha256) == id else {
                throw RepodataError(.malformed, "repomd.xml has another checksum")
            }
            base = try RepositoryMetadata.base(of: place)
        } catch {
            damage(error)
            _ = try remove(place)
            return nil
        }
        // If the time cannot be set, the directory only looks older than it is.
        utimensat(AT_FDCWD, place.string, nil, 0)
        let metadata = RepositoryMetadata(
            id: id, directory: place, hasFilelists: place.appending("filelists.xml").exists, hasOther: place.appending("other.xml").exists,
            hasModules: place.appending("modules.yaml").exists, base: base, place: location)
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
        try synchronize(fresh)
        let hold = MetadataHold(fresh)
        guard rename(fresh.string, place.string) != 0 else {
            return try withExtendedLifetime(hold) { () throws(Errno) in try makeRoom() }
        }
        switch Errno(rawValue: errno) {
        case .directoryNotEmpty, .fileExists: try discard(fresh)
        case let error: throw error
        }
    }

    private func synchronize(_ fresh: FilePath) throws(Errno) {
        for document in ["repomd.xml"] + Self.documents.map(\.value) + RepositoryBase.filesOfLayer {
            // After a power failure the name must not exist without the bytes.
            do { try RegularFile.synchronize(fresh.appending(document)) } catch .noSuchFileOrDirectory {}
        }
        // A layer is recognized by the names of its files. So the names must be on the disk as well.
        try RegularFile.synchronize(fresh)
    }

    /// Makes the finished directory `fresh` the metadata of `id`, instead of the layer that it has now.
    ///
    /// - Returns: `false` if the layer is in use or is gone. Then `fresh` is removed.
    func replaceLayer(by fresh: FilePath, as id: Checksum) throws(Errno) -> Bool {
        guard let place = place(of: id) else { throw .invalidArgument }
        try synchronize(fresh)
        // A compose that uses the layer opens its files until it ends.
        guard let hold = MetadataHold(place, isShared: false) else {
            try discard(fresh)
            return false
        }
        return try withExtendedLifetime(hold) { () throws(Errno) in
            let doomed = directory.appending(Self.preparing + UUID().uuidString)
            // Between the two steps the metadata is missing. A process that needs it then reads the repository
            // again.
            let isReplaced = rename(place.string, doomed.string) == 0 && rename(fresh.string, place.string) == 0
            if !isReplaced { try discard(fresh) }
            try discard(doomed)
            return isReplaced
        }
    }

    /// Returns the metadata with which a new revision of the repository at `location` can be compared.
    /// Returns `nil` if no such metadata is kept. Then the revision is read as a whole.
    ///
    /// - Parameter problem: Receives the reason if metadata was recorded, but cannot be used.
    func base(of location: String, problem: (String) -> Void) -> (base: RepositoryBase, hold: MetadataHold?)? {
        let name = nameOfLatest(location)
        guard let id = revisions(of: location).first else { return nil }
        let found: Found?
        var damage: String?
        do throws(Errno) {
            found = try find(id, of: location) { damage = $0.message }
        } catch {
            // Nothing is lost but time.
            found = nil
            damage = "\(error)"
        }
        guard let found else {
            problem(damage ?? "the older revision is not in the cache any more")
            return nil
        }
        // Without this file, each layer would parse the base again.
        guard found.metadata.directory.appending("pool.solv").exists, let base = knownBases.base(found.metadata) else {
            problem("the older revision has no index or no packages")
            return nil
        }
        utimensat(AT_FDCWD, name.string, nil, 0)
        return (base, found.hold)
    }

    /// Records that the metadata of `id` is the latest revision of the repository at `location`, and
    /// removes old revisions that are not in use.
    ///
    /// - Parameter isBase: Whether later revisions are compared with this one. It must be whole metadata.
    func record(_ id: Checksum, of location: String, isBase: Bool) throws(Errno) {
        try directory.appending(Self.latest).createDirectory()
        let known = revisions(of: location)
        let others = (isBase ? known : Array(known.dropFirst())).filter { $0 != id }
        guard isBase || !known.isEmpty else { return }
        let base = isBase ? id : known[0]
        let recent = (isBase ? [] : [id]) + others.filter { $0 != base }
        let name = nameOfLatest(location)
        let temporary = directory.appending(Self.latest).appending(Self.preparing + UUID().uuidString)
        // The file need not survive a power failure. Without it, one more revision is read as a whole.
        try RegularFile.write(Array(([base] + recent.prefix(Self.mostRevisions)).map(\.hex).joined(separator: "\n").utf8), to: temporary)
        guard rename(temporary.string, name.string) == 0 else {
            let error = Errno(rawValue: errno)
            unlink(temporary.string)
            throw error
        }
        // If two processes record a revision at once, one is forgotten. It is removed like all unused metadata.
        for old in recent.dropFirst(Self.mostRevisions) {
            guard let place = place(of: old), let hold = MetadataHold(place, isShared: false) else { continue }
            _ = try withExtendedLifetime(hold) { () throws(Errno) in try remove(place) }
        }
    }

    /// Returns a hold that only one process of the host has at a time, or `nil` if another one has it.
    func holdOfCompaction() -> MetadataHold? { MetadataHold(directory.appending(Self.latest), isShared: false) }

    /// Whether `id` is the latest revision of a location, and `base` the one that later revisions are
    /// compared with.
    func isLatest(_ id: Checksum, over base: Checksum, of location: String) -> Bool {
        revisions(of: location).prefix(2).elementsEqual([base, id])
    }

    /// Returns the known revisions of a location. The first one is that with which others are compared, and
    /// the rest begins with the latest.
    private func revisions(of location: String) -> [Checksum] {
        // Every error means that no revision is known. Nothing is lost but time.
        guard let bytes = try? RegularFile.contents(of: nameOfLatest(location)) else { return [] }
        let names = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        return names.allSatisfy(Self.isSHA256) ? names.map { Checksum(.sha256, hex: String($0)) } : []
    }

    private func nameOfLatest(_ location: String) -> FilePath {
        directory.appending(Self.latest).appending(Checksum.ofText(location).hex)
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
        let latest = directory.appending(Self.latest)
        // Without the directory there is nothing to remove. Names that stay cost some bytes each.
        for name in (try? FileManager.default.contentsOfDirectory(atPath: latest.string)) ?? [] {
            let file = latest.appending(name)
            if let used = lastUse(of: file), used < time { unlink(file.string) }
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
        var kept: [(place: FilePath, used: Date, files: [KeptFile])] = []
        for name in try names() where Self.isOfMetadata(name) {
            let place = directory.appending(name)
            if let used = lastUse(of: place) { kept.append((place, used, files(in: place))) }
        }
        // A base and its layers share files. Their bytes are free when the last of them is removed.
        var uses: [KeptFile: Int] = [:]
        for file in kept.flatMap(\.files) { uses[file, default: 0] += 1 }
        var total = uses.keys.reduce(0) { $0 + $1.bytes }
        for (place, _, files) in kept.sorted(by: { $0.used < $1.used }) where total > limit {
            guard let hold = MetadataHold(place, isShared: false) else { continue }
            guard try withExtendedLifetime(hold, { () throws(Errno) in try remove(place) }) else { continue }
            for file in files {
                uses[file]! -= 1
                if uses[file] == 0 { total -= file.bytes }
            }
        }
    }

    /// A file on the disk, under any number of names.
    private struct KeptFile: Hashable {
        let device: UInt64
        let inode: UInt64
        /// The number of bytes that the file occupies on the disk.
        let bytes: Int
    }

    /// Returns the files in a directory.
    ///
    /// Another process may remove a file or the directory meanwhile. A file whose status cannot be read
    /// is left out.
    private func files(in place: FilePath) -> [KeptFile] {
        // Errors mean that another process removes the directory. Its bytes are free then.
        let files = (try? FileManager.default.contentsOfDirectory(atPath: place.string)) ?? []
        return files.compactMap { try? place.appending($0).stat().rawValue }.map {
            KeptFile(device: UInt64($0.st_dev), inode: UInt64($0.st_ino), bytes: Int($0.st_blocks) * 512)
        }
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
