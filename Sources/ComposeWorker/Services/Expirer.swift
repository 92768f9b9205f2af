import BackgroundWork
import ComposeModel
public import ComposeStore
import Foundation
public import Logging
public import NIOPosix
public import ServiceLifecycle

/// An expirer ends expired composes. It changes the state first, then removes the files, and then
/// records that they are gone. If a crash interrupts these steps, the next run continues them.
public struct Expirer: Service {
    let store: ComposeStore
    let configuration: WorkerConfiguration
    let files: TargetDirectories
    let logger: Logger

    /// The limit of composes, and of results, in one transaction.
    private static let batch = 500

    public init(store: ComposeStore, configuration: WorkerConfiguration, threadPool: NIOThreadPool, logger: Logger) {
        self.store = store
        self.configuration = configuration
        files = TargetDirectories(targets: configuration.targets, threadPool: threadPool)
        self.logger = logger
    }

    public func run() async throws {
        await housekeeping(every: configuration.expireInterval) {
            do {
                try await runOnce()
            } catch {
                logger.workFailed("could not expire composes", error)
            }
        }
    }

    /// Removes the log of a compose. If that fails, the run continues, and the sweeper removes the log
    /// later.
    private func removeLog(of compose: Int) async {
        do {
            try await files.removeLog(of: compose)
        } catch {
            logger.warning(
                "could not remove a log; the sweeper tries again", metadata: ["compose": "\(compose)", "error": "\(error)"])
        }
    }

    /// Ends all composes that have expired by now, and removes the files of results that no compose shows
    /// any more. Also forgets events, submissions and entries of the audit that are older than their
    /// retention.
    func runOnce() async throws {
        var expired: Expired
        repeat {
            expired = try await store.expire(limit: Self.batch)
            for id in expired.composes {
                logger.info("compose expired", metadata: ["compose": "\(id)"])
                await removeLog(of: id)
            }
        } while expired.composes.count == Self.batch

        for result in try await store.resultsToDelete(limit: Self.batch, in: Array(configuration.targets.keys)) {
            do {
                try await files.remove(result)
                try await store.recordDeletion(of: result.id)
                logger.info("result deleted", metadata: ["compose": "\(result.id)"])
            } catch let error as CocoaError {
                logger.error("could not delete a result", metadata: ["compose": "\(result.id)", "error": "\(error)"])
            }
        }
        try await store.pruneEvents(olderThan: configuration.eventRetention)
        _ = try await store.forgetSubmissions(olderThan: configuration.submissionRetention)
        _ = try await store.forgetAudit(olderThan: configuration.auditRetention)
    }
}
