public import ComposeModel
import Compression
public import Foundation
import Glibc
public import HTTPEnvironment
public import Logging
public import NIOPosix
import Repodata
public import SystemPackage

/// A repository source reads repositories. It pins their current state, and brings the metadata of a
/// pin to this host's disk, complete and checked.
public struct RepositorySource: Sendable {
    /// The directories and addresses that this source may read.
    public let access: SourceAccess
    let limits: SourceLimits
    let reader: SourceReader
    let cache: MetadataCache
    let threadPool: NIOThreadPool
    let knownModules = KnownModules()
    private let knownPins = KnownPins()
    private let logger: Logger

    /// Creates a source.
    ///
    /// - Parameters:
    ///   - cacheDirectory: The directory for metadata. Any number of processes may share it. It is created
    ///     if it is missing.
    ///   - httpClient: A client with the configuration ``SourceLimits/httpClientConfiguration``.
    ///   - threadPool: A running pool for all blocking work.
    public init(
        access: SourceAccess, limits: SourceLimits = SourceLimits(), cacheDirectory: FilePath, httpClient: OutboundClient,
        threadPool: NIOThreadPool, logger: Logger
    ) {
        self.access = access
        self.limits = limits
        self.threadPool = threadPool
        self.logger = logger
        cache = MetadataCache(directory: cacheDirectory, limit: limits.cacheBytes)
        reader = SourceReader(
            access: access, transfer: HTTPTransfer(client: httpClient, access: access, limits: limits, logger: logger),
            threadPool: threadPool)
    }

    /// Pins the current state of the repository. Reads only repomd.xml. A server may answer that it is
    /// unchanged since this source read it.
    ///
    /// Throws `.sourceNotUsable` if there is no repository or it may not be read. Throws `.metadataCorrupt`
    /// if the file is not a valid repomd.xml. Throws `.sourceUnreachable` (transient) if the source does
    /// not answer.
    public func pin(_ location: RepositoryLocation) async throws(ComposeFailure) -> RepositoryPin {
        guard let pin = try await pinIfThere(location) else { throw RepositoryFailure(location).pinning(.missing) }
        return pin
    }

    /// Pins the repository like ``pin(_:)``, but returns `nil` if there is no repository.
    ///
    /// - Parameter isSentAgain: Whether the server must send repomd.xml even if it is unchanged.
    func pinIfThere(_ location: RepositoryLocation, isSentAgain: Bool = false) async throws(ComposeFailure) -> RepositoryPin? {
        try access.authorize(location)
        let known = isSentAgain ? nil : knownPins.find(location, notOlderThan: limits.confirmationTime)
        let sent: (bytes: [UInt8]?, version: FileVersion?)
        do throws(TransferProblem) {
            sent = try await reader.contents(
                of: SourceTree(location, access).file("repodata/repomd.xml"), limit: min(limits.metadataBytes, SourceReader.largestRepomd),
                unless: known?.version)
        } catch {
            if error == .missing { return nil }
            throw RepositoryFailure(location).pinning(error)
        }
        if let known, sent.bytes == nil { return known.pin }
        let bytes = sent.bytes ?? []
        let pin = try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            do throws(RepodataError) {
                return try RepositoryPin(location, repomd: bytes)
            } catch {
                throw RepositoryFailure(location).parsing(error, repomd: bytes)
            }
        }
        knownPins.keep(pin, sent.version)
        return pin
    }

    /// Pins the repository like ``pin(_:)``, but the server must send repomd.xml.
    private func pinAgain(_ location: RepositoryLocation) async throws(ComposeFailure) -> RepositoryPin {
        guard let pin = try await pinIfThere(location, isSentAgain: true) else { throw RepositoryFailure(location).pinning(.missing) }
        return pin
    }

    /// Whether the metadata of `pin` is in the cache. Only the existence of its directory is checked.
    public func isOnThisHost(_ pin: RepositoryPin) -> Bool { cache.has(pin.checksum) }

    /// Returns the metadata of exactly `pin`, from the cache or fetched from the source.
    ///
    /// Throws the errors of ``pin(_:)``. If the repository has changed since a pin that was just made,
    /// throws `.sourceChanging`. That failure is transient, and a new pin helps. If it has changed since a
    /// recorded pin, throws `.sourceNotUsable`, because that metadata is gone for good.
    public func metadata(for pin: RepositoryPin) async throws(ComposeFailure) -> PinnedRepository {
        try access.authorize(pin.location)
        if let cached = try await cached(pin) { return cached }
        let failure = RepositoryFailure(pin.location)
        let bytes: [UInt8]
        if let repomd = pin.repomd {
            bytes = repomd
        } else {
            // The answer decides whether a recorded pin is lost, so no confirmation is accepted.
            let current = try await pinAgain(pin.location)
            guard current.checksum == pin.checksum, let repomd = current.repomd else { throw failure.changed(since: pin) }
            bytes = repomd
        }
        do throws(DocumentProblem) {
            return try await fetch(pin, repomd: bytes)
        } catch {
            // The document is not the one that repomd.xml describes. Perhaps repomd.xml was replaced meanwhile, or a
            // server called it unchanged when it was not.
            if error.mayBeChange, try await pinAgain(pin.location).checksum != pin.checksum { throw failure.changed(since: pin) }
            throw failure.reading(error)
        }
    }

    /// Pins the repository and fetches its metadata. If the repository changes in between, both steps are
    /// repeated.
    ///
    /// Throws `.sourceChanging` (transient) if it has changed `attempts` times.
    public func pinAndFetch(_ location: RepositoryLocation, attempts: Int = 3) async throws(ComposeFailure) -> PinnedRepository {
        var attempt = 1
        while true {
            let pin = try await self.pin(location)
            do throws(ComposeFailure) {
                return try await metadata(for: pin)
            } catch {
                guard error.code == .sourceChanging else { throw error }
                logger.info("A repository changed while it was read", metadata: ["repository": "\(location)", "attempt": "\(attempt)"])
                guard attempt < attempts else { throw RepositoryFailure(location).keptChanging(attempts: attempts) }
                attempt += 1
            }
        }
    }

    /// Removes the metadata that was not used since `time` from the cache. Returns the number of
    /// repositories that were removed.
    ///
    /// The time must lie further back than the duration of any compose. A compose requests metadata once
    /// and continues to use it.
    @discardableResult
    public func removeMetadata(unusedSince time: Date) async throws(ComposeFailure) -> Int {
        let cache = cache
        return try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            try ComposeFailure.storing { () throws(Errno) in try cache.removeUnused(since: time) }
        }
    }

    private func cached(_ pin: RepositoryPin) async throws(ComposeFailure) -> PinnedRepository? {
        let (cache, logger) = (cache, logger)
        return try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
            let found = try ComposeFailure.storing { () throws(Errno) in
                try cache.find(pin.checksum, of: "\(pin.location)") { damage in
                    logger.warning(
                        "Damaged metadata is read again", metadata: ["repository": "\(pin.location)", "problem": "\(damage.message)"])
                }
            }
            guard let found else { return nil }
            // repomd.xml was parsed before it was put into the cache, so it can be parsed again.
            let repomd = pin.content ?? (try? Repomd(parsing: found.repomd))
            return PinnedRepository(location: pin.location, metadata: found.metadata, repomd: repomd, hold: found.hold)
        }
    }

    /// Fetches the documents that `repomd` names into a new directory and publishes the directory.
    private func fetch(_ pin: RepositoryPin, repomd: [UInt8]) async throws(DocumentProblem) -> PinnedRepository {
        let cache = cache
        let fresh = try await storing { () throws(Errno) in try cache.prepare() }
        do throws(DocumentProblem) {
            let parsed = try await threadPool.run(canceled: .transfer("repomd.xml", .canceled)) { () throws(DocumentProblem) in
                do throws(RepodataError) { return try Repomd(parsing: repomd) } catch { throw .content("repomd.xml", error) }
            }
            let place = "\(pin.location)"
            let (limits, logger) = (limits, logger)
            let isWhole: @Sendable (String) -> Void = { reason in
                logger.info("A repository is read as a whole", metadata: ["repository": "\(place)", "reason": "\(reason)"])
            }
            let old = limits.keepsLayers ? try await storing { () throws(Errno) in cache.base(of: place, problem: isWhole) } : nil
            let changed = try await fetchDocuments(of: parsed, at: pin.location, into: fresh, comparedWith: old?.base)
            let documents = Set(MetadataDocument.allCases.filter { parsed.record($0.rawValue) != nil })
            let isLayer = try await threadPool.run(canceled: .transfer("repomd.xml", .canceled)) { () throws(DocumentProblem) in
                var isLayer = false
                if let old, changed != documents || !old.base.has(documents) {
                    isWhole("too many or unusual differences from the older revision")
                } else if let old {
                    do throws(RepodataError) {
                        isLayer = try old.base.linkDocuments(into: fresh)
                        if !isLayer { isWhole("the files of the older revision could not be linked") }
                    } catch {
                        logger.warning(
                            "A layer of metadata could not be made", metadata: ["repository": "\(place)", "problem": "\(error.message)"])
                        throw .transfer("repomd.xml", .storage(.ioError))
                    }
                }
                if !isLayer { RepositoryBase.removeChanges(in: fresh) }
                withExtendedLifetime(old?.hold) {}
                return isLayer
            }
            if !isLayer {
                for document in changed {
                    guard let record = parsed.record(document.rawValue) else { continue }
                    try await wholeDocument(record, of: pin.location, to: fresh, as: "\(document.rawValue).xml")
                }
            }
            try await threadPool.run(canceled: .transfer("repomd.xml", .canceled)) { () throws(DocumentProblem) in
                if isLayer {
                    for record in changed.compactMap({ parsed.record($0.rawValue) }) { try Self.removeStored(record, in: fresh) }
                }
                do throws(Errno) {
                    try RegularFile.write(repomd, to: fresh.appending("repomd.xml"))
                    try cache.publish(fresh, as: pin.checksum)
                } catch {
                    throw .transfer("repomd.xml", .storage(error))
                }
                if limits.keepsLayers {
                    do throws(Errno) {
                        try cache.record(pin.checksum, of: place, isBase: !isLayer)
                    } catch {
                        logger.warning(
                            "The next revision of a repository cannot be compared with this one",
                            metadata: ["repository": "\(place)", "error": "\(error)"])
                    }
                }
            }
            let found = try await storing { () throws(Errno) in try cache.find(pin.checksum, of: place) }
            guard let found else { throw .transfer("repomd.xml", .storage(.noSuchFileOrDirectory)) }
            return PinnedRepository(location: pin.location, metadata: found.metadata, repomd: parsed, hold: found.hold)
        } catch {
            await discard(fresh)
            throw error
        }
    }

    /// The number of documents of a local repository that are read at once. If more threads than cores
    /// read, the largest document is ready later.
    private static let localDocumentsAtOnce = max(1, Int(sysconf(CInt(_SC_NPROCESSORS_ONLN))))

    /// Fetches documents at once, because decompressing a document takes as long as fetching it. The
    /// largest one is first.
    ///
    /// The first document that cannot be read cancels the others, and its problem is thrown.
    ///
    /// - Parameter base: An older revision of the repository, if there is one.
    /// - Returns: The documents whose changes since the older revision were written.
    private func fetchDocuments(
        of repomd: Repomd, at location: RepositoryLocation, into directory: FilePath, comparedWith base: RepositoryBase?
    ) async throws(DocumentProblem) -> Set<MetadataDocument> {
        let documents = MetadataCache.documents.compactMap { type, fileName in repomd.record(type).map { (record: $0, fileName: fileName) }
        }
        let atOnce = if case .directory = location { Self.localDocumentsAtOnce } else { documents.count }
        var first: DocumentProblem?
        var changed: Set<MetadataDocument> = []
        await inParallel(documents, atOnce: atOnce) { found -> Result<MetadataDocument?, DocumentProblem> in
            do throws(DocumentProblem) {
                let isCompared = try await document(
                    found.record, of: location, to: directory, as: found.fileName, comparedWith: base)
                return .success(isCompared ? MetadataDocument(rawValue: found.record.type) : nil)
            } catch {
                return .failure(error)
            }
        } take: { result in
            switch result {
            case .success(let document): if let document { changed.insert(document) }
            case .failure(let problem): first = first ?? problem
            }
            return first == nil
        }
        if let first { throw first }
        return changed
    }

    private func storing<Success: Sendable>(
        _ body: @escaping @Sendable () throws(Errno) -> Success
    ) async throws(DocumentProblem) -> Success {
        try await threadPool.run(canceled: .transfer("repomd.xml", .canceled)) { () throws(DocumentProblem) in
            do throws(Errno) { return try body() } catch { throw .transfer("repomd.xml", .storage(error)) }
        }
    }

    /// Removes a directory that will not be published.
    func discard(_ fresh: FilePath) async {
        let cache = cache
        let logger = logger
        await threadPool.runAlways {
            do throws(Errno) {
                try cache.discard(fresh)
            } catch {
                logger.warning("A directory of incomplete metadata could not be removed", metadata: ["error": "\(error)"])
            }
        }
    }
}
