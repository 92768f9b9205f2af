import Compression
import NIOPosix
import Repodata
import SystemPackage

/// The reason why a package's header could not be read. The caller knows its purpose, and makes a
/// failure of it.
enum HeaderProblem: Error, Hashable {
    case transfer(TransferProblem)
    /// The data is not a header, or is the header of another package. The text is a finding that can follow
    /// "because".
    case content(String)

    init(_ error: RepodataError) {
        self = error.code == .io || error.code == .host ? .transfer(.unreachable(error.message)) : .content(error.message)
    }

    var reason: String {
        switch self {
        case .transfer(let problem): problem.reason
        case .content(let reason): reason
        }
    }

    /// Whether the problem is in the file and not on the way to it.
    var isOfFile: Bool {
        switch self {
        case .content, .transfer(.missing), .transfer(.notPermitted), .transfer(.refused), .transfer(.truncated(_, _, wasCut: false)): true
        default: false
        }
    }
}

/// A reader of package files. It reads only the start of a file to get its header. It reads files of a
/// directory in place, and files of a server with range requests. For checksums it reads whole files.
struct HeaderReader: Sendable {
    /// The number of bytes in the first request to a server. Most headers of real packages are smaller, so
    /// little is transferred in vain.
    static let firstGuess = 16 * 1024

    /// The name of the file in messages.
    private static let name = "it"

    let tree: SourceTree
    let transfer: HTTPTransfer
    let threadPool: NIOThreadPool

    /// The properties of a file that its first bytes show.
    struct Start: Sendable {
        let size: Int
        let headerStart: Int
        let version: String?
    }

    /// Returns the fragments of `package` from its file at `path` on this host. Blocks.
    func readInPlace(_ package: KojiPackage, at path: String) throws(HeaderProblem) -> PackageFragments {
        let bytes = try inPlace(path) { (_, descriptor) throws(HeaderProblem) in
            try content { () throws(RepodataError) in try RPMHeaderExtent.contents(of: descriptor, named: Self.name) }
        }
        return try check(bytes, package)
    }

    /// Returns the fragments of `package` from its file at `url`.
    func fetch(_ package: KojiPackage, from url: RepositoryURL) async throws(HeaderProblem) -> PackageFragments {
        var bytes: [UInt8] = []
        var wanted = Self.firstGuess
        while true {
            let have = bytes.count
            let part = try await transferring { () async throws(TransferProblem) in try await transfer.part(have..<wanted, of: url) }
            bytes += part.bytes
            let start = bytes
            let finding = try content { () throws(RepodataError) in try RPMHeaderExtent.find(in: start, named: Self.name) }
            guard case .needs(let count) = finding else { break }
            guard bytes.count == wanted || bytes.count >= count else {
                throw .content("it ends inside of its header, after \(bytes.count) bytes")
            }
            wanted = count
        }
        let whole = bytes
        return try await threadPool.run(canceled: .transfer(.canceled)) { () throws(HeaderProblem) in try check(whole, package) }
    }

    /// Returns the properties that the first bytes of the file at `path` on this host show. Blocks.
    func lookInPlace(at path: String) throws(HeaderProblem) -> Start {
        try inPlace(path) { (file, descriptor) throws(HeaderProblem) in
            let bytes: [UInt8]
            do throws(Errno) {
                bytes = try RegularFile.contents(of: descriptor, atMost: RPMHeaderExtent.signatureIntroEnd)
            } catch {
                throw .transfer(TransferProblem(reading: error))
            }
            let time = file.status.st_mtim
            return Start(
                size: file.size,
                headerStart: try content { () throws(RepodataError) in try RPMHeaderExtent.start(in: bytes, named: Self.name) },
                version: "\(time.tv_sec).\(time.tv_nsec)")
        }
    }

    /// Returns the properties that the first bytes of the file at `url` show.
    func look(at url: RepositoryURL) async throws(HeaderProblem) -> Start {
        let part = try await transferring { () async throws(TransferProblem) in
            try await transfer.part(0..<RPMHeaderExtent.signatureIntroEnd, of: url)
        }
        let headerStart = try content { () throws(RepodataError) in try RPMHeaderExtent.start(in: part.bytes, named: Self.name) }
        guard let size = part.size else { throw .content("its server does not say how large it is") }
        return Start(size: size, headerStart: headerStart, version: part.version)
    }

    /// Returns the SHA-256 of `copy`, a file of this host, and reads the whole file. Throws if header and
    /// payload are not those of the package. Blocks.
    func checksumInPlace(_ copy: PackageCopy) throws(HeaderProblem) -> Checksum {
        _ = try readInPlace(copy.package, at: copy.path)
        return try inPlace(copy.path) { (file, _) throws(HeaderProblem) in
            do throws(TransferProblem) { try file.check(size: copy.size) } catch { throw .transfer(error) }
            let found: (whole: Checksum, rest: Checksum)
            do throws(RepodataError) {
                found = try FileChecksum.of(FilePath(file.path), .sha256, andFrom: copy.headerStart, .md5)
            } catch {
                throw .transfer(.unreachable("it could not be read to its end"))
            }
            try check(payloadHash: found.rest, copy.package)
            return found.whole
        }
    }

    /// Returns the SHA-256 of `copy`. The file is fetched from `url` for this purpose and not kept.
    func checksum(_ copy: PackageCopy, at url: RepositoryURL, limit: Int) async throws(HeaderProblem) -> Checksum {
        let found = try await transferring { () async throws(TransferProblem) in
            try await transfer.inTime(url, bytes: copy.size) { (transfer) async throws(TransferProblem) in
                let target = ChecksumTarget(on: threadPool, headerStart: copy.headerStart)
                try await transfer.get(url, into: target, size: copy.size, limit: limit)
                return try await target.finish()
            }
        }
        try check(payloadHash: found.payloadHash, copy.package)
        return found.sha256
    }

    /// Throws if header and payload are not those that the hub knows. The hub knows nothing about files of
    /// tasks.
    private func check(payloadHash found: Checksum, _ package: KojiPackage) throws(HeaderProblem) {
        guard let expected = package.payloadHash, !expected.isEmpty, found.hex != expected else { return }
        throw .content("it is damaged: the hub says that its payload hash is \(expected), but its content has \(found.hex)")
    }

    private func inPlace<Result>(
        _ path: String, _ body: (OpenFile, FileDescriptor) throws(HeaderProblem) -> Result
    ) throws(HeaderProblem) -> Result {
        let found: Swift.Result<Result, HeaderProblem>
        do throws(TransferProblem) {
            guard case .local(let file) = try tree.file(path) else { throw .missing }
            found = try file.use { (file) throws(TransferProblem) in
                try file.read { (descriptor) throws(TransferProblem) in
                    do throws(HeaderProblem) { return .success(try body(file, descriptor)) } catch { return .failure(error) }
                }
            }
        } catch {
            throw .transfer(error)
        }
        return try found.get()
    }

    private func transferring<Result>(
        _ body: () async throws(TransferProblem) -> Result
    ) async throws(HeaderProblem) -> Result {
        do throws(TransferProblem) { return try await body() } catch { throw .transfer(error) }
    }

    private func content<Result>(_ body: () throws(RepodataError) -> Result) throws(HeaderProblem) -> Result {
        do throws(RepodataError) { return try body() } catch { throw HeaderProblem(error) }
    }

    /// Reads the header and compares it with the hub's data.
    private func check(_ bytes: [UInt8], _ package: KojiPackage) throws(HeaderProblem) -> PackageFragments {
        let header = try content { () throws(RepodataError) in try RPMHeaderContent(reading: bytes, named: Self.name) }
        let isEpochRight = package.payloadHash == nil || header.nevra.epoch == package.nevra.epoch
        guard NEVRAKey(header.nevra) == NEVRAKey(package.nevra), isEpochRight else {
            throw .content("it is the package \(header.nevra)")
        }
        if let expected = package.payloadHash, !expected.isEmpty, let found = header.payloadHash, found.hex != expected {
            throw .content("it is another file of that name: the hub says that its payload hash is \(expected), but it is \(found.hex)")
        }
        return header.fragments
    }
}
