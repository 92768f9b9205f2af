public import ComposeModel
import Glibc
public import HTTPEnvironment
public import Logging
public import NIOPosix
public import Repodata
public import SystemPackage

/// Puts package files into a tree, each complete and as its metadata says, or not at all.
public struct PackageDelivery: Sendable {
    /// How a file came into the tree.
    public enum Method: String, Hashable, Sendable, Codable, CaseIterable {
        /// A second name of the source's file.
        case hardlink
        /// A file of its own that shares the blocks of the source's.
        case reflink
        /// A file of its own.
        case copy
        /// Over HTTP.
        case download
    }

    /// A batch of local files keeps its thread no longer than these many files, or bytes to verify, take.
    private static let batchFiles = 256
    private static let batchBytes = 64 << 20
    /// Batches at once: linking is the kernel's work, and more threads would only wait for each other there.
    private static let batchesAtOnce = 4

    private let access: SourceAccess
    private let limits: SourceLimits
    private let reader: SourceReader
    private let threadPool: NIOThreadPool
    private let verified: VerifiedFiles?

    /// - Parameters:
    ///   - httpClient: with ``SourceLimits/httpClientConfiguration``.
    ///   - threadPool: for everything that blocks; running.
    ///   - verify: whether the checksum of a file on this host's disks is checked too, and not only its size. A downloaded file's always is.
    ///     A file is read once in the life of this value and its copies.
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

    /// Puts the file of `record` at `destination`, whose directory is created when it is missing; a file of that name is replaced.
    ///
    /// Throws `.packageFileUnusable` when the file is missing, may not be read, or differs in size or checksum; `.limitExceeded`, `.sourceUnreachable`
    /// and `.storage` as their names say. No temporary file is left.
    public func deliver(
        _ record: PackageRecord, of repository: PinnedRepository, to destination: FilePath
    ) async throws(ComposeFailure) -> Method {
        let methods = try await deliver(all: [(record, destination)], of: repository)
        guard let method = methods.keys.first else {
            throw ComposeFailure(.internal, "The file of the package \(record.nevra) was neither delivered nor refused.")
        }
        return method
    }

    /// As ``deliver(_:of:to:)`` for many packages, several at once; tells how many came in which way.
    ///
    /// When files are unusable, the failure names up to twenty of them. What was delivered before stays.
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
        tally = await inParallel(batches(of: local), width: Self.batchesAtOnce, after: tally) { batch in
            await place(batch, of: repository)
        }
        tally = await inParallel(remote, width: limits.concurrentDownloads, after: tally) { job in
            await download(job, of: repository)
        }
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

    /// One file to deliver.
    private struct Job: Sendable {
        let record: PackageRecord
        let file: SourceFile
        let destination: FilePath
    }

    /// Runs `body` on each of `works`, at most `width` at once, until there is no point in going on.
    private func inParallel<Work: Sendable>(
        _ works: [Work], width: Int, after start: DeliveryTally, _ body: @escaping @Sendable (Work) async -> DeliveryTally
    ) async -> DeliveryTally {
        await withTaskGroup(of: DeliveryTally.self) { group in
            var total = start
            var rest = works.makeIterator()
            for _ in 0..<width {
                if let work = rest.next() { group.addTask { await body(work) } }
            }
            for await tally in group {
                total.add(tally)
                if total.isHopeless {
                    group.cancelAll()
                } else if let work = rest.next() {
                    group.addTask { await body(work) }
                }
            }
            return total
        }
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
                do throws(Errno) {
                    try job.destination.removingLastComponent().createDirectory()
                } catch {
                    throw .storage(error)
                }
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
