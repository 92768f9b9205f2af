public import ComposeModel
import Compression
public import HTTPEnvironment
public import Logging
public import NIOPosix
import Repodata
public import SystemPackage

/// The packages of a Koji as repositories at the hub's `topdir` or `topurl`. Their metadata is made
/// here from the packages' headers, without downloading the packages.
///
/// There are two stages, because the `pkgid` of a package is the checksum of its whole file. For
/// solving, ``metadata(of:answering:)`` has all packages that may be chosen. It has provisional
/// pkgids, and is made from the headers alone. For writing, ``copies(of:signedBy:)`` finds the files of
/// the chosen packages, and ``metadata(ofChosen:)`` describes these files.
public struct KojiPackageSource: Sendable {
    /// The number of headers that are stored together. Headers that were stored before a failure stay.
    private static let keptAtOnce = 4096

    private let location: RepositoryLocation
    private let access: SourceAccess
    private let limits: SourceLimits
    private let cache: MetadataCache
    private let store: HeaderStore
    private let transfer: HTTPTransfer
    private let threadPool: NIOThreadPool
    private let logger: Logger

    /// - Parameters:
    ///   - location: The hub's `topdir` on this host, or its `topurl`.
    ///   - access: The access rules, which must allow `location`.
    ///   - cacheDirectory: The directory for metadata, as for ``RepositorySource``.
    ///   - headerDirectory: The directory in which data from packages is kept permanently. Any number of
    ///     processes and hubs may share it.
    ///   - httpClient: A client with ``SourceLimits/httpClientConfiguration``.
    ///   - threadPool: A running thread pool for all blocking work.
    public init(
        location: RepositoryLocation, access: SourceAccess, limits: SourceLimits = SourceLimits(), cacheDirectory: FilePath,
        headerDirectory: FilePath, httpClient: OutboundClient, threadPool: NIOThreadPool, logger: Logger
    ) {
        self.location = location
        self.access = access
        self.limits = limits
        self.threadPool = threadPool
        self.logger = logger
        cache = MetadataCache(directory: cacheDirectory, limit: limits.cacheBytes)
        store = HeaderStore(directory: headerDirectory)
        transfer = HTTPTransfer(client: httpClient, access: access, limits: limits, logger: logger)
    }

    /// Returns metadata of all `packages` for solving, from the headers of their unsigned files. A header
    /// that any process has read before is not read again.
    ///
    /// Each package's `pkgid` is ``KojiPackage/provisionalID``, and there are no change logs. The same
    /// packages give the same repository at no cost.
    ///
    /// - Parameter question: The question that the packages answer, for example a tag and architectures. If
    ///   an older answer is in the cache, only the differences to it are kept.
    ///
    /// Throws `.packageFileUnusable` with the names of packages and builds whose files are missing, damaged
    /// or those of other packages. Throws `.sourceUnreachable` (transient) if Koji's files cannot be
    /// reached.
    public func metadata(
        of packages: [KojiPackage], answering question: String? = nil
    ) async throws(ComposeFailure) -> PinnedRepository {
        try await pinned(try await forSolving(packages, question))
    }

    /// Returns the same as ``metadata(of:answering:)`` without the packages whose files cannot be used, and
    /// a list of these packages. It still throws `.packageFileUnusable` if they are many, because the cause
    /// is then not a few damaged files.
    public func usableMetadata(
        of packages: [KojiPackage], answering question: String? = nil
    ) async throws(ComposeFailure) -> (repository: PinnedRepository, unusable: [UnusablePackage]) {
        let repository = try await forSolving(packages, question)
        let reader = try headerReader()
        if let metadata = try await cached(repository) { return (metadata, []) }
        let findings = try await readHeaders(of: repository, reader)
        try findings.checkPassable(of: repository.packages.count)
        guard !findings.unusable.isEmpty else { return (try await write(repository), []) }
        let unusable = Set(findings.unusable.map(\.package))
        return (try await pinned(try await forSolving(packages.filter { !unusable.contains($0) }, question)), findings.unusable)
    }

    private func forSolving(_ packages: [KojiPackage], _ question: String?) async throws(ComposeFailure) -> SyntheticRepository {
        let location = location
        let question = limits.keepsLayers ? question : nil
        return try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            SyntheticRepository(forSolving: packages, at: location, answering: question)
        }
    }

    /// Finds the file to take for each of `packages`: the copy signed by the first of `keys` that the
    /// package has and whose file exists.
    ///
    /// A signed file that is missing, may not be read or is not a package counts as nonexistent. Every file
    /// is looked at, so the call is meant for chosen packages.
    /// - Parameter keys: 8 or 16 hexadecimal digits of each key's id, in upper or lower case. "" allows the
    ///   unsigned file. Example: `fd431d51`.
    /// - Returns: The copies, and the packages that have none of these signatures. Throws like
    ///   ``metadata(of:answering:)``.
    public func copies(of packages: [KojiPackage], signedBy keys: [String]) async throws(ComposeFailure) -> SignedChoice {
        let reader = try headerReader()
        let wanted = keys.map { WantedKey($0) }
        let searches = packages.indices.map {
            HeaderReader.Search(index: $0, package: packages[$0], keys: packages[$0].candidates(wanted))
        }
        var findings = PackageFindings()
        var results: [HeaderReader.Found] = []
        await reader.copies(of: searches, findings: &findings) { results.append($0) }
        for copy in results.compactMap(\.copy) {
            if let problem = copy.sizeProblem { findings.add(problem, of: copy.package, at: copy.path) }
        }
        try findings.check()
        results.sort { $0.index < $1.index }
        return SignedChoice(
            copies: results.compactMap(\.copy),
            unsigned: results.filter { $0.copy == nil }.map { found in
                let package = packages[found.index]
                return SignedChoice.Unsigned(package: package, keys: package.keys, missing: found.missing)
            })
    }

    /// Returns complete metadata of the files that go into a compose, with their checksums as pkgids.
    ///
    /// The checksum is ``PackageCopy/sha256`` if it is known. Otherwise the file is read, but only once
    /// while it stays the same. Throws like ``metadata(of:answering:)``.
    /// - Parameter base: The address below which clients find the files, if the metadata is to refer to
    ///   them.
    public func metadata(ofChosen copies: [PackageCopy], at base: String? = nil) async throws(ComposeFailure) -> ChosenPackages {
        let known = try await withChecksums(copies)
        let location = location
        let repository = try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            SyntheticRepository(ofChosen: known, base: base, at: location)
        }
        return ChosenPackages(
            repository: try await pinned(repository),
            copies: Dictionary(known.map { ($0.package.provisionalID, $0) }, uniquingKeysWith: { first, _ in first }), base: base)
    }
}

// Headers and documents.
extension KojiPackageSource {
    private func headerReader() throws(ComposeFailure) -> HeaderReader {
        HeaderReader(tree: try tree(), transfer: transfer, threadPool: threadPool)
    }

    /// The number of small files that are worth requesting at once.
    var concurrentFiles: Int { limits.concurrentHeaders }

    /// Returns the bytes of a small file, or `nil` if there is no file at `path`.
    ///
    /// - Parameter explain: Makes the failure for a problem of this file only.
    func contents(
        of path: String, limit: Int, explain: (TransferProblem) -> ComposeFailure
    ) async throws(ComposeFailure) -> [UInt8]? {
        let tree = try tree()
        do throws(TransferProblem) {
            return try await SourceReader(access: access, transfer: transfer, threadPool: threadPool)
                .contents(of: try tree.file(path), limit: limit)
        } catch {
            if error == .missing { return nil }
            throw explain(error)
        }
    }

    private func tree() throws(ComposeFailure) -> SourceTree {
        try access.authorize(location)
        do throws(TransferProblem) {
            return try SourceTree(location, access)
        } catch {
            // The message does not show users where the tree is on this host.
            if let failure = error.commonFailure("Koji's tree of files") { throw failure }
            throw ComposeFailure(
                .sourceUnreachable,
                "Koji's tree of files cannot be read by this service: \(error.reason). The operator of this service can help.",
                isTransient: true)
        }
    }

    private func pinned(_ repository: SyntheticRepository) async throws(ComposeFailure) -> PinnedRepository {
        let reader = try headerReader()
        if let metadata = try await cached(repository) { return metadata }
        try await readHeaders(of: repository, reader).check()
        return try await write(repository)
    }

    private func cached(_ repository: SyntheticRepository) async throws(ComposeFailure) -> PinnedRepository? {
        let (cache, location) = (cache, location)
        return try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            try ComposeFailure.storing { () throws(Errno) in try cache.find(repository.id, of: repository.place) }.map {
                PinnedRepository(location: location, metadata: $0.metadata, repomd: nil, place: "Koji", hold: $0.hold)
            }
        }
    }

    /// Reads and stores the headers that no process has read before. Returns the files that could not be
    /// read.
    private func readHeaders(of repository: SyntheticRepository, _ reader: HeaderReader) async throws(ComposeFailure) -> PackageFindings {
        let store = store
        let missing = try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            try store.refresh()
            return repository.packages.map {
                HeaderReader.PackageFile(package: $0.package, path: $0.path, header: repository.header(of: $0))
            }
            .filter { store.fragments($0.header) == nil }
        }
        if missing.isEmpty { return PackageFindings() }
        logger.info("Headers of packages are read", metadata: ["packages": "\(repository.packages.count)", "headers": "\(missing.count)"])
        var findings = PackageFindings()
        var read: [Checksum: PackageFragments] = [:]
        await reader.fragments(of: missing, findings: &findings) { result in
            read[result.header] = result.fragments
            guard read.count >= Self.keptAtOnce else { return nil }
            let failure = await keep(read)
            read = [:]
            return failure
        }
        if let failure = await keep(read) { findings.stop(failure) }
        return findings
    }

    /// Stores headers and returns the failure, if there is one. It also runs after a cancellation, so that
    /// no header is read in vain.
    private func keep(_ headers: [Checksum: PackageFragments]) async -> ComposeFailure? {
        let store = store
        return await withCheckedContinuation { continuation in
            threadPool.submit { _ in
                do throws(ComposeFailure) {
                    try store.keep(headers)
                    continuation.resume(returning: nil)
                } catch {
                    continuation.resume(returning: error)
                }
            }
        }
    }

    /// Returns the copies with the checksum of each file: given, remembered or computed by reading the
    /// file.
    private func withChecksums(_ copies: [PackageCopy]) async throws(ComposeFailure) -> [PackageCopy] {
        let (store, location) = (store, location)
        let reader = try headerReader()
        var copies = try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            if copies.allSatisfy({ $0.sha256 != nil }) { return copies }
            try store.refresh()
            return copies.map { copy in
                var copy = copy
                copy.sha256 = copy.sha256 ?? store.checksum(of: copy, at: location)
                return copy
            }
        }
        let unread = copies.filter { $0.sha256 == nil }
        if unread.isEmpty { return copies }
        var findings = PackageFindings()
        var read: [PackageCopy: Checksum] = [:]
        await reader.checksums(of: unread, limit: limits.packageBytes, findings: &findings) { read[$0.copy] = $0.sha256 }
        let found = read
        try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in try store.keep(found, at: location) }
        try findings.check()
        for index in copies.indices where copies[index].sha256 == nil { copies[index].sha256 = found[copies[index]] }
        return copies
    }

    private func write(_ repository: SyntheticRepository) async throws(ComposeFailure) -> PinnedRepository {
        let (cache, store, location, logger) = (cache, store, location, logger)
        let found = try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            try repository.publish(in: cache, from: store, logger: logger)
        }
        return PinnedRepository(location: location, metadata: found.metadata, repomd: nil, place: "Koji", hold: found.hold)
    }
}
