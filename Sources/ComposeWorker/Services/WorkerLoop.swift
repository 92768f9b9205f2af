import BackgroundWork
public import ComposeModel
public import ComposeStore
import Foundation
public import Logging
public import Postgres
public import ServiceLifecycle

/// A worker loop claims composes and makes them, as many at a time as it has slots.
///
/// On a graceful shutdown it claims no more composes, stops its work, and gives the leases back.
public struct WorkerLoop: Service {
    let configuration: WorkerConfiguration
    let store: ComposeStore
    let listener: PostgresListener
    let channel: String
    let attempts: AttemptRunner
    let logger: Logger

    /// Creates the loop.
    ///
    /// - Parameter refusal: Returns why this worker cannot make the compose of a request, although workers
    ///   with another configuration may be able to. The text is whole sentences. Returns `nil` if the
    ///   worker can.
    public init(
        configuration: WorkerConfiguration, store: ComposeStore, listener: PostgresListener, channel: String, pipeline: ComposePipeline,
        refusal: @escaping @Sendable (ComposeRequest) -> String? = { _ in nil }, logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.listener = listener
        self.channel = channel
        attempts = AttemptRunner(
            configuration: configuration, store: store, listener: listener, channel: channel, pipeline: pipeline, refusal: refusal,
            logger: logger)
        self.logger = logger
    }

    public func run() async throws {
        logger.notice("worker runs", metadata: ["worker": "\(configuration.name)", "slots": "\(configuration.slots)"])
        await start()
        let loop = LeaseLoop(
            slots: configuration.slots, pollInterval: configuration.pollInterval, listener: listener, channel: channel, logger: logger,
            claim: { try await store.claim(by: configuration.name, present: configuration.presence, for: configuration.leaseLength) },
            run: attempts.run)
        await withDiscardingTaskGroup { group in
            group.addTask { await periodically(every: configuration.pollInterval) { await signOn() } }
            group.addTask { await periodically(every: .seconds(1)) { await attempts.slots.look(othersWait: othersWait) } }
            await loop.runUntilShutdown()
            group.cancelAll()
        }
        do {
            try await store.workerStopped(configuration.name)
        } catch {
            logger.info("could not sign off", metadata: ["error": "\(error)"])
        }
    }

    /// Reports that this worker starts. It may now be able to make the composes that it refused in its last
    /// run.
    private func start() async {
        do {
            try await store.workerStarts(configuration.name)
        } catch {
            logger.warning("could not say that this worker starts", metadata: ["error": "\(error)"])
        }
    }

    private func signOn() async {
        do {
            try await store.workerIsAlive(configuration.name, slots: configuration.slots)
        } catch {
            logger.warning("could not say that this worker is alive", metadata: ["error": "\(error)"])
        }
    }

    /// Returns whether a compose could run now. Returns `false` while the database is unavailable.
    private func othersWait() async -> Bool {
        do {
            return try await store.hasWaiting(for: configuration.name)
        } catch {
            logger.info("could not look whether composes wait", metadata: ["error": "\(error)"])
            return false
        }
    }
}
