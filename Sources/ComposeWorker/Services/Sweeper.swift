import ComposeModel
public import ComposeStore
public import ContentSources
import Foundation
public import Logging
public import NIOPosix
public import ServiceLifecycle

/// Removes directories that belong to nothing: those of attempts that ended without their worker, and a finished one whose compose
/// was never recorded as done; and metadata of repositories that nobody has asked for in a long time.
public struct Sweeper: Service {
    let store: ComposeStore
    let configuration: WorkerConfiguration
    let files: TargetDirectories
    let source: RepositorySource
    let logger: Logger

    public init(
        store: ComposeStore, configuration: WorkerConfiguration, source: RepositorySource, threadPool: NIOThreadPool, logger: Logger
    ) {
        self.store = store
        self.configuration = configuration
        files = TargetDirectories(targets: configuration.targets, threadPool: threadPool)
        self.source = source
        self.logger = logger
    }

    public func run() async throws {
        await periodically(every: configuration.sweepInterval) {
            do {
                try await runOnce()
            } catch {
                logger.error("could not sweep the target directories", metadata: ["error": "\(error)"])
            }
        }
    }

    func runOnce() async throws {
        // Listed before the database is asked: what comes into being in between is not in the list.
        let attempts = try await files.attempts()
        let open = try await store.openAttempts(among: attempts.map(\.token))
        for attempt in attempts where !open.contains(attempt.token) {
            try await files.remove(attempt)
            logger.info("removed the directory of an attempt that is over", metadata: ["compose": "\(attempt.compose)"])
        }
        let results = try await files.results()
        let stray = try await store.composesWithoutResult(among: results.map(\.id))
        for result in results where stray.contains(result.id) {
            try await files.remove(result)
            logger.info("removed a directory that no compose shows", metadata: ["compose": "\(result.id)"])
        }
        let unused = try await source.removeMetadata(unusedSince: Date.now - configuration.metadataRetention / .seconds(1))
        if unused > 0 { logger.info("removed metadata that was not used any more", metadata: ["repositories": "\(unused)"]) }
    }
}
