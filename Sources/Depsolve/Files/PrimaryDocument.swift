import CSolv
import Compression
import Glibc
import Repodata
import SystemPackage

/// The document `primary.xml` of a repository.
///
/// A plain document is read by ``PlainPrimary``, any other one by libsolv's parser. The document is
/// not trusted. libsolv's parser would accept some invalid input without an error, and other input
/// would exhaust its stack. Both are refused here.
struct PrimaryDocument {
    let path: FilePath
    let repository: Checksum
    /// The bytes of the document, if they are not those of the file at ``path``.
    let bytes: UnsafeRawBufferPointer?

    /// - Parameter bytes: The bytes of the document, if they are not those of the file at `path`. They must
    ///   exist as long as this value. Messages name the file in any case.
    init(path: FilePath, repository: Checksum, bytes: UnsafeRawBufferPointer? = nil) {
        self.path = path
        self.repository = repository
        self.bytes = bytes
    }

    /// Reads the document of a repository as a whole, also if it is kept as a layer. See ``parse(into:)``.
    static func parse(_ metadata: RepositoryMetadata, into repository: UnsafeMutablePointer<Repo>) throws(DepsolveError) -> Int {
        guard let changes = try metadata.changesOfPrimary() else {
            return try PrimaryDocument(path: metadata.primary, repository: metadata.id).parse(into: repository)
        }
        let bytes: [UInt8]
        do throws(RepodataError) {
            bytes = changes.document(over: try MappedFile(metadata.primary))
        } catch {
            throw .unusable(metadata.primary, of: metadata.id, error.message)
        }
        return try bytes.withUnsafeBufferPointer { (bytes) throws(DepsolveError) in
            try PrimaryDocument(path: metadata.primary, repository: metadata.id, bytes: UnsafeRawBufferPointer(bytes)).parse(
                into: repository)
        }
    }

    /// The maximum number of bytes of one dependency.
    ///
    /// libsolv parses rich dependencies recursively. At this length the recursion stays far below the size
    /// of a stack. The longest dependencies of distributions have a tenth of it.
    static let longestDependency = 16_384

    /// The maximum number of bytes of the name, the version or the architecture of a package. It is far
    /// longer than a file name can be.
    static let longestName = 1024

    /// Adds the packages to `repository`, and returns the number of unusable entries that were left out.
    /// Blocks.
    ///
    /// An entry is unusable if it lacks a name, a checksum or a location. It is also unusable if its name,
    /// version or architecture is longer than ``longestName``.
    func parse(into repository: UnsafeMutablePointer<Repo>) throws(DepsolveError) -> Int {
        if !readPlain(into: repository) { try readByLibsolv(into: repository) }
        return removeUnusablePackages(of: repository)
    }

    /// Returns whether the document is plain and has been read.
    private func readPlain(into repository: UnsafeMutablePointer<Repo>) -> Bool {
        if let bytes { return PlainPrimary.read(bytes, into: repository) }
        // An error shows again when libsolv's parser reads the file.
        guard let file = try? MappedFile(path) else { return false }
        return withExtendedLifetime(file) { PlainPrimary.read(file.bytes, into: repository) }
    }

    private func readByLibsolv(into repository: UnsafeMutablePointer<Repo>) throws(DepsolveError) {
        try check()
        let file =
            if let bytes { fmemopen(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count, "r") } else {
                fopen(path.string, "r")
            }
        guard let file else { throw unusable(String(cString: strerror(errno))) }
        defer { fclose(file) }
        guard repo_add_rpmmd(repository, file, nil, 0) == 0 else {
            let message = String(cString: pool_errstr(repository.pointee.pool))
            throw unusable(message.hasPrefix("repo_rpmmd: ") ? String(message.dropFirst(12)) : message)
        }
    }

    private func unusable(_ reason: String) -> DepsolveError { .unusable(path, of: repository, reason) }

    /// Throws `.unusableMetadata` if the document is of the wrong kind, or if a dependency in it is too
    /// long.
    private func check() throws(DepsolveError) {
        var isRpmMD = false
        var isTooLong = false
        func check(_ tag: UnsafeRawBufferPointer) {
            if tag.isTag("rpm:entry") {
                isTooLong = isTooLong || (tag.count > Self.longestDependency && (tag.endOfTag ?? tag.count) > Self.longestDependency)
            } else if !isRpmMD {
                isRpmMD = tag.isTag("metadata")
            }
        }
        if let bytes {
            try MappedDocument.forEachTag(in: bytes) { tag throws(DepsolveError) in check(tag) }
        } else {
            try MappedDocument(path, of: repository).forEachTag { tag throws(DepsolveError) in check(tag) }
        }
        if isTooLong { throw unusable("a dependency in it is longer than \(Self.longestDependency) bytes") }
        if !isRpmMD { throw unusable("it has no metadata element, so it is not rpm-md") }
    }

    /// Removes entries that are not usable packages, and returns their number. See ``parse(into:)`` for the
    /// rules. The other entries can be used.
    private func removeUnusablePackages(of repository: UnsafeMutablePointer<Repo>) -> Int {
        let pool = repository.pointee.pool!
        var removed = 0
        for id in repository.pointee.start..<repository.pointee.end {
            let solvable = pool.pointee.solvables + Int(id)
            guard solvable.pointee.repo == repository else { continue }
            var type: Id = 0
            let isUsable =
                solvable.pointee.name != 0 && pool_id2str(pool, solvable.pointee.name).pointee != 0
                && [solvable.pointee.name, solvable.pointee.evr, solvable.pointee.arch].allSatisfy {
                    strnlen(pool_id2str(pool, $0), Self.longestName + 1) <= Self.longestName
                }
                && solvable_lookup_bin_checksum(solvable, Id(SOLVABLE_CHECKSUM.rawValue), &type) != nil
                && solvable_lookup_location(solvable, nil) != nil
            if isUsable { continue }
            repo_free_solvable(repository, id, 0)
            removed += 1
        }
        return removed
    }
}

extension RepositoryMetadata {
    /// Returns the changes of the primary document, if the metadata is a layer.
    func changesOfPrimary() throws(DepsolveError) -> DocumentChanges? {
        do throws(RepodataError) {
            return try changes(of: .primary)
        } catch {
            throw .unusable(primary, of: id, error.message)
        }
    }
}
