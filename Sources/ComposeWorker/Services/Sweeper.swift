import BackgroundWork
import ComposeModel
public import ComposeStore
public import ContentSources
import Foundation
public import Logging
public import NIOPosix
public import ServiceLifecycle

/// A sweeper removes files that belong to no compose:
///
/// - directories of attempts that ended without their worker
/// - finished directories whose compose was never recorded as done
/// - logs of removed composes
///
/// It also removes composes whose files are lost (``LostFiles``).
///
/// It also removes metadata of repositories that no compose has asked for in a long time.
public struct Sweeper: Service {
    let store: ComposeStore
    let configuration: WorkerConfiguration
    let files: TargetDirectories
    private let lost: LostFiles
    let source: RepositorySource
    let logger: Logger

    public init(
        store: ComposeStore, configuration: WorkerConfiguration, source: RepositorySource, threadPool: NIOThreadPool, logger: Logger
    ) {
        self.store = store
        self.configuration = configuration
        files = TargetDirectories(targets: configuration.targets, threadPool: threadPool)
        lost = LostFiles(store: store, targets: configuration.targets, threadPool: threadPool, logger: logger)
        self.source = source
        self.logger = logger
    }

    public func run() async throws {
        await housekeeping(every: configuration.sweepInterval) {
            do {
                try await runOnce()
            } catch {
                logger.workFailed("could not sweep the target directories", error)
            }
        }
    }

    func runOnce() async throws {
        // The directories are listed before the database is asked. A directory that appears between the two
        // steps is not in the list.
        let attempts = try await files.attempts()
        let open = try await store.openAttempts(among: attempts.map(\.token))
        for attempt in attempts where !open.contains(attempt.token) {
            try await files.remove(attempt)
            logger.info("removed the directory of an attempt that has ended", metadata: ["compose": "\(attempt.compose)"])
        }
        let results = try await files.results()
        let stray = try await store.composesWithoutResult(among: results.map(\.id))
        for result in results where stray.contains(result.id) {
            try await files.remove(result)
            logger.info("removed a directory that no compose shows", metadata: ["compose": "\(result.id)"])
        }
        try await lost.removeLost()
        let logs = try await files.logs()
        let removed = try await store.removedComposes(among: Array(Set(logs)))
        for compose in removed.sorted() {
            do {
                try await files.removeLog(of: compose)
                logger.info("removed the log of a compose that is removed", metadata: ["compose": "\(compose)"])
            } catch {
                logger.warning("could not remove a log", metadata: ["compose": "\(compose)", "error": "\(error)"])
            }
        }
        let locks = try await store.deleteUnusedLocks()
        if locks > 0 { logger.info("removed lock files that no compose needs any more", metadata: ["locks": "\(locks)"]) }
        let unused = try await source.removeMetadata(unusedSince: Date.now - configuration.metadataRetention / .seconds(1))
        if unused > 0 { logger.info("removed metadata that was not used any more", metadata: ["repositories": "\(unused)"]) }
    }
}
