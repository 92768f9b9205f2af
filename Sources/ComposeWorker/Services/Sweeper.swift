import ComposeModel
public import ComposeStore
import Foundation
public import Logging
public import NIOPosix
public import ServiceLifecycle

/// Removes directories that belong to nothing: those of attempts that ended without their worker, and a finished one whose compose
/// was never recorded as done.
public struct Sweeper: Service {
    let store: ComposeStore
    let configuration: WorkerConfiguration
    let files: TargetDirectories
    let logger: Logger

    public init(store: ComposeStore, configuration: WorkerConfiguration, threadPool: NIOThreadPool, logger: Logger) {
        self.store = store
        self.configuration = configuration
        files = TargetDirectories(targets: configuration.targets, threadPool: threadPool)
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
        let needed = try await store.composesWithDirectory(among: results.map(\.id))
        for result in results where !needed.contains(result.id) {
            try await files.remove(result)
            logger.info("removed a directory that no compose shows", metadata: ["compose": "\(result.id)"])
        }
    }
}
