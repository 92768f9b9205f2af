public import ComposeModel
import Glibc
public import HTTPEnvironment
public import Logging
public import NIOPosix
public import Repodata
public import SystemPackage

/// A package delivery puts package files into a tree. Each file arrives complete and as its metadata
/// describes it, or not at all.
public struct PackageDelivery: Sendable {
    /// The way by which a file came into the tree.
    public enum Method: String, Hashable, Sendable, Codable, CaseIterable {
        /// A second name of the source's file.
        case hardlink
        /// A separate file that shares its blocks with the source's file.
        case reflink
        /// A separate file with its own blocks.
        case copy
        /// A file that was downloaded over HTTP.
        case download
    }

    /// The size at which a batch of local files ends, in files and in bytes to verify. It limits how long a
    /// batch keeps its thread.
    private static let batchFiles = 256
    private static let batchBytes = 64 << 20
    /// The number of concurrent batches. The kernel does the linking, and more threads would only wait for
    /// each other there.
    private static let batchesAtOnce = 4

    private let access: SourceAccess
    private let limits: SourceLimits
    private let reader: SourceReader
    private let threadPool: NIOThreadPool
    private let verified: VerifiedFiles?

    /// Creates a delivery.
    ///
    /// - Parameters:
    ///   - httpClient: A client with the configuration ``SourceLimits/httpClientConfiguration``.
    ///   - threadPool: A running pool for all blocking work.
    ///   - verify: Whether the checksum of a file on this host's disks is checked in addition to its size.
    ///     The checksum of a downloaded file is always checked. This value and its copies read each file
    ///     once.
    public init(
        access: SourceAccess, limits: SourceLimits = SourceLimits(), httpClient: OutboundClient, threadPool: NIOThreadPool, logger: Logger,
        verify: Bool = true
    ) {
        self.access = access
        self.limits = limits
        self.threadPool = threadPool
        reader = SourceReader(
            access: access, transfer: HTTPTransfer(client: httpClient, access: access, limits: limits, logger: logger),
            threadPool: threadPool)
        verified = verify ? VerifiedFiles() : nil
    }

    /// Puts the file of `record` at `destination` and returns the method that was used.
    ///
    /// The directory of `destination` is created if it is missing. An existing file of that name is
    /// replaced. No temporary file is left.
    ///
    /// Throws `.packageFileUnusable` if the file is missing, may not be read, or differs in size or
    /// checksum. Also throws `.limitExceeded`, `.sourceUnreachable` and `.storage`.
    public func deliver(
        _ record: PackageRecord, of repository: PinnedRepository, to destination: FilePath
    ) async throws(ComposeFailure) -> Method {
        let methods = try await deliver(all: [(record, destination)], of: repository)
        guard let method = methods.keys.first else {
            throw ComposeFailure(.internal, "The file of the package \(record.nevra) was neither delivered nor refused.")
        }
        return method
    }

    /// Delivers many packages like ``deliver(_:of:to:)``, several at once. Returns the number of packages
    /// by method.
    ///
    /// If files are unusable, the failure names up to twenty of them. Packages that were already delivered
    /// stay.
    @discardableResult
    public func deliver(
        all items: [(record: PackageRecord, destination: FilePath)], of repository: PinnedRepository
    ) async throws(ComposeFailure) -> [Method: Int] {
        var local: [Job] = []
        var remote: [Job] = []
        var tally = DeliveryTally()
        let tree = try self.tree(of: repository)
        for (record, destination) in items {
            do throws(TransferProblem) {
                if record.size > limits.packageBytes { throw .overLimit(limits.packageBytes) }
                let file = try tree.file(record.location, base: record.base)
                let job = Job(record: record, file: file, destination: destination)
                switch file {
                case .local: local.append(job)
                case .remote: remote.append(job)
                }
            } catch {
                tally.add(error, of: record, in: repository)
            }
        }
        let add = { (other: DeliveryTally) in
            tally.add(other)
            return !tally.isHopeless
        }
        await inParallel(batches(of: local), atOnce: Self.batchesAtOnce, { await place($0, of: repository) }, take: add)
        await inParallel(remote, atOnce: limits.concurrentDownloads, { await download($0, of: repository) }, take: add)
        return try tally.result(repository)
    }

    private func tree(of repository: PinnedRepository) throws(ComposeFailure) -> SourceTree {
        try access.authorize(repository.location)
        do {
            return try SourceTree(repository.location, access)
        } catch {
            throw RepositoryFailure(repository.location).pinning(error)
        }
    }

    /// A file to deliver.
    private struct Job: Sendable {
        let record: PackageRecord
        let file: SourceFile
        let destination: FilePath
    }

    private func batches(of jobs: [Job]) -> [[Job]] {
        var batches: [[Job]] = []
        var batch: [Job] = []
        var bytes = 0
        for job in jobs {
            batch.append(job)
            bytes += verified == nil ? 0 : job.record.size
            if batch.count == Self.batchFiles || bytes >= Self.batchBytes {
                batches.append(batch)
                batch = []
                bytes = 0
            }
        }
        return batch.isEmpty ? batches : batches + [batch]
    }

    private func place(_ batch: [Job], of repository: PinnedRepository) async -> DeliveryTally {
        let verified = verified
        do throws(ComposeFailure) {
            return try await threadPool.run(canceled: .canceled) { () throws(ComposeFailure) in
                var tally = DeliveryTally()
                var directory: AllowedDirectory?
                for job in batch where !tally.isHopeless {
                    do throws(TransferProblem) {
                        guard case .local(let file) = job.file else { continue }
                        let method = try file.use(in: &directory) { (file) throws(TransferProblem) in
                            try file.check(size: job.record.knownSize)
                            try verified?.check(file, is: job.record.pkgid)
                            return try FilePlacement.put(file, at: job.destination)
                        }
                        tally.add(method)
                    } catch {
                        tally.add(error, of: job.record, in: repository)
                    }
                }
                return tally
            }
        } catch {
            return DeliveryTally(stoppedBy: error)
        }
    }

    private func download(_ job: Job, of repository: PinnedRepository) async -> DeliveryTally {
        var tally = DeliveryTally()
        do throws(TransferProblem) {
            let temporary = job.destination.temporarySibling
            try await threadPool.run(canceled: .canceled) { () throws(TransferProblem) in
                try TransferProblem.storing { () throws(Errno) in try job.destination.removingLastComponent().createDirectory() }
            }
            try await reader.fetch(
                job.file, to: temporary, size: job.record.knownSize, limit: limits.packageBytes, expecting: job.record.pkgid)
            do throws(TransferProblem) {
                try await threadPool.run(canceled: .canceled) { () throws(TransferProblem) in
                    try FilePlacement.move(temporary, to: job.destination)
                }
            } catch {
                await threadPool.runAlways { unlink(temporary.string) }
                throw error
            }
            tally.add(.download)
        } catch {
            tally.add(error, of: job.record, in: repository)
        }
        return tally
    }
}
