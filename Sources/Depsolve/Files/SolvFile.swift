import CSolv
import Compression
import Glibc
import Logging
import Repodata
import SystemPackage

/// A solv file has the packages of a repository in libsolv's own format, and is kept beside the
/// metadata of the repository. It loads ten times as fast as the XML, and has only the data that
/// depsolving needs.
///
/// A cookie in its header names the repository, the version that wrote the file and the number of
/// left-out entries. A digest at its end protects the rest, also against a power failure. A file that
/// does not match is ignored and written again.
struct SolvFile {
    let metadata: RepositoryMetadata
    let logger: Logger

    /// Adds the packages to `repository`. They are read from this file if it exists and is complete, and
    /// otherwise from `primary.xml`. Blocks.
    ///
    /// - Returns: The number of entries of `primary.xml` that are not usable packages.
    func add(to repository: UnsafeMutablePointer<Repo>) throws(DepsolveError) -> Int {
        if let leftOut = read(into: repository) { return leftOut }
        do {
            try write()
            if let leftOut = read(into: repository) { return leftOut }
        } catch {
            switch error {
            case .unusable(let error): throw error
            case .notWritable(let problem):
                logger.warning("solv file not written", metadata: ["repository": "\(metadata.id)", "problem": "\(problem)"])
            }
        }
        return try PrimaryDocument(path: metadata.primary, repository: metadata.id).parse(into: repository)
    }

    /// Returns the file of the base of a layer. It is a link to that in the directory of the base.
    static func ofBase(_ base: Checksum, of layer: RepositoryMetadata, logger: Logger) -> SolvFile {
        SolvFile(
            metadata: RepositoryMetadata(id: base, directory: layer.directory, hasFilelists: layer.hasFilelists, hasOther: layer.hasOther),
            logger: logger)
    }

    private var path: FilePath { metadata.directory.appending("pool.solv") }

    /// The beginning of the cookie. The number of left-out entries follows it.
    private var cookie: String { "odcs-depsolve 2 \(LIBSOLV_VERSION_STRING) \(metadata.id) " }

    // MARK: Reading

    /// Reads the packages from the file. If libsolv finds damage while reading, no packages remain in
    /// `repository`.
    ///
    /// - Returns: The number of entries that were left out of the file. `nil` if the file does not exist or
    ///   is not valid.
    private func read(into repository: UnsafeMutablePointer<Repo>) -> Int? {
        guard let file = fopen(path.string, "r") else { return nil }
        defer { fclose(file) }
        guard let leftOut = numberAfterCookie(file), Self.digestMatches(file) else {
            logger.notice("solv file ignored: damaged or of another version", metadata: ["repository": "\(metadata.id)"])
            return nil
        }
        rewind(file)
        return repo_add_solv(repository, file, 0) == 0 ? leftOut : nil
    }

    private func numberAfterCookie(_ file: UnsafeMutablePointer<FILE>) -> Int? {
        var data: UnsafeMutablePointer<UInt8>?
        var length: Int32 = 0
        guard solv_read_userdata(file, &data, &length) == 0, let data else { return nil }
        defer { free(data) }
        let bytes = UnsafeBufferPointer(start: data, count: Int(length))
        guard bytes.starts(with: cookie.utf8) else { return nil }
        return Int(String(decoding: bytes.dropFirst(cookie.utf8.count), as: UTF8.self))
    }

    private static let digestType = Id(REPOKEY_TYPE_SHA1.rawValue)

    private static func digestMatches(_ file: UnsafeMutablePointer<FILE>) -> Bool {
        guard fseek(file, 0, SEEK_END) == 0 else { return false }
        let length = Int(solv_chksum_len(digestType))
        let bodyLength = ftell(file) - length
        guard bodyLength > 0 else { return false }
        let identity = FileIdentity(of: fileno(file))
        if IntactFiles.contains(identity) { return true }
        var stored = [UInt8](repeating: 0, count: length)
        guard let digest = digest(of: file, length: bodyLength), fread(&stored, 1, length, file) == length else { return false }
        if digest == stored { IntactFiles.insert(identity) }
        return digest == stored
    }

    /// Returns the digest of the first `length` bytes. The position of the file is then behind these bytes.
    private static func digest(of file: UnsafeMutablePointer<FILE>, length: Int) -> [UInt8]? {
        rewind(file)
        guard let sum = solv_chksum_create(digestType) else { return nil }
        defer { solv_chksum_free(sum, nil) }
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var rest = length
        while rest > 0 {
            let got = fread(&buffer, 1, min(rest, buffer.count), file)
            guard got > 0 else { return nil }
            solv_chksum_add(sum, buffer, Int32(got))
            rest -= got
        }
        var count: Int32 = 0
        guard let bytes = solv_chksum_get(sum, &count) else { return nil }
        return Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }

    // MARK: Writing

    private enum WriteError: Error {
        case notWritable(String)
        case unusable(DepsolveError)
    }

    /// Parses the XML and writes the file. The file appears under its name in one step. Parsing uses a pool
    /// of its own, so that all other data it leaves there is freed.
    private func write() throws(WriteError) {
        guard let pool = pool_create() else { throw .notWritable("no memory") }
        defer { pool_free(pool) }
        _ = pool_setdisttype(pool, DISTTYPE_RPM)
        pool_setdebugmask(pool, 0)
        guard let repository = repo_create(pool, "") else { throw .notWritable("no memory") }
        let leftOut: Int
        do {
            leftOut = try PrimaryDocument(path: metadata.primary, repository: metadata.id).parse(into: repository)
        } catch {
            throw .unusable(error)
        }

        var template = Array("\(path.string).XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw .notWritable(Self.lastError) }
        guard let file = fdopen(descriptor, "w+") else {
            let problem = Self.lastError
            close(descriptor)
            unlink(template)
            throw .notWritable(problem)
        }
        defer { fclose(file) }
        guard writeSolvables(of: repository, leftOut: leftOut, to: file), fflush(file) == 0,
            let digest = Self.digest(of: file, length: ftell(file)),
            fwrite(digest, 1, digest.count, file) == digest.count, fflush(file) == 0,
            fchmod(descriptor, 0o644) == 0, rename(template, path.string) == 0
        else {
            let problem = Self.lastError
            unlink(template)
            throw .notWritable(problem)
        }
    }

    private static var lastError: String { String(cString: strerror(errno)) }

    private func writeSolvables(of repository: UnsafeMutablePointer<Repo>, leftOut: Int, to file: UnsafeMutablePointer<FILE>) -> Bool {
        Self.write(repository, cookie: "\(cookie)\(leftOut)", to: file)
    }

    /// Writes the packages with the data that depsolving needs. Returns whether that was possible.
    static func write(_ repository: UnsafeMutablePointer<Repo>, cookie: String, to file: UnsafeMutablePointer<FILE>) -> Bool {
        guard let writer = repowriter_create(repository) else { return false }
        defer { repowriter_free(writer) }
        let cookie = Array(cookie.utf8)
        repowriter_set_userdata(writer, cookie, Int32(cookie.count))
        repowriter_set_keyfilter(
            writer, { _, key, _ in keptKeys.contains(key!.pointee.name) ? KEY_STORAGE_INCORE : KEY_STORAGE_DROPPED }, nil)
        return repowriter_write(writer, file) == 0
    }
}

/// The data of a package that depsolving needs. Summaries, licenses and other data stay in the XML.
private let keptKeys: Set<Id> = Set(
    [
        SOLVABLE_NAME, SOLVABLE_ARCH, SOLVABLE_EVR,
        SOLVABLE_PROVIDES, SOLVABLE_OBSOLETES, SOLVABLE_CONFLICTS, SOLVABLE_REQUIRES,
        SOLVABLE_RECOMMENDS, SOLVABLE_SUGGESTS, SOLVABLE_SUPPLEMENTS, SOLVABLE_ENHANCES,
        SOLVABLE_CHECKSUM, SOLVABLE_MEDIADIR, SOLVABLE_MEDIAFILE, SOLVABLE_MEDIABASE, SOLVABLE_DOWNLOADSIZE,
        SOLVABLE_SOURCENAME, SOLVABLE_SOURCEEVR, SOLVABLE_SOURCEARCH,
        SOLVABLE_FILELIST, REPOSITORY_FILTEREDFILELIST, REPOSITORY_SOLVABLES,
    ].map { Id($0.rawValue) })
