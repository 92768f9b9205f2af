import BackgroundWork
public import ComposeStore
public import Logging
public import ServiceLifecycle

/// A reaper takes composes, steps of builds and delivery turns back from lost workers, and fails
/// composes that no worker can make. Every worker has a reaper. The first one that looks does the work.
public struct Reaper: Service {
    let store: ComposeStore
    let configuration: WorkerConfiguration
    let logger: Logger

    public init(store: ComposeStore, configuration: WorkerConfiguration, logger: Logger) {
        self.store = store
        self.configuration = configuration
        self.logger = logger
    }

    public func run() async throws {
        await withDiscardingTaskGroup { group in
            group.addTask { await housekeeping(every: configuration.reapInterval) { await takeBack() } }
            group.addTask { await housekeeping(every: configuration.refusalInterval) { await failRefused() } }
        }
    }

    private func takeBack() async {
        do {
            try await store.shortenLeasesOfAbsentWorkers()
            try await store.endLostDeliveryTurns()
            for compose in try await store.reap(retries: configuration.retries) {
                logger.warning(
                    "took a compose back from a lost worker",
                    metadata: ["compose": "\(compose.id)", "requeued": "\(compose.isRequeued)"])
            }
            for step in try await store.reapSteps(retries: configuration.retries) {
                logger.warning(
                    "took a step of a build back from a lost worker",
                    metadata: ["step": "\(step.id)", "requeued": "\(step.isRequeued)"])
            }
        } catch {
            logger.workFailed("could not look for lost workers", error)
        }
    }

    private func failRefused() async {
        do {
            for compose in try await store.failRefused() {
                logger.warning("no worker can make a compose, which has failed", metadata: ["compose": "\(compose)"])
            }
        } catch {
            logger.workFailed("could not look for composes that no worker can make", error)
        }
    }
}
