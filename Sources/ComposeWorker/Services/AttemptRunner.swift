import ComposeModel
import ComposeStore
import Foundation
import Logging
import Postgres
import ServiceLifecycle

/// One attempt at one compose: keeps the lease while the pipeline runs, and writes down what became of it.
struct AttemptRunner: Sendable {
    let configuration: WorkerConfiguration
    let store: ComposeStore
    let keeper: LeaseKeeper
    let pipeline: ComposePipeline
    let logger: Logger

    init(
        configuration: WorkerConfiguration, store: ComposeStore, listener: PostgresListener, channel: String, pipeline: ComposePipeline,
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        keeper = LeaseKeeper(store: store, listener: listener, channel: channel, length: configuration.leaseLength)
        self.pipeline = pipeline
        self.logger = logger
    }

    func run(_ lease: ComposeLease) async {
        var logger = logger
        logger[metadataKey: "compose"] = "\(lease.compose.id)"
        let attempt: ComposeAttempt
        do {
            attempt = try ComposeAttempt(lease, configuration: configuration)
        } catch {
            await settle(.failed(error), of: lease, log: nil, logger: logger)
            return
        }
        defer { attempt.removeDirectory(logger: logger) }
        let ending: Ending
        do {
            try await cancelWhenGracefulShutdown {
                try await keeper.keep(lease) { try await pipeline.run(attempt) }
            }
            logger.info("compose is through")
            return
        } catch is LeaseLost {
            ending = .leaseLost
        } catch is CancellationError {
            ending = .stopped
        } catch let failure as ComposeFailure where failure.code == .canceled {
            // What was under way says in its own words that it was cancelled, and it is this worker's end that cancels it.
            ending = .stopped
        } catch let failure as ComposeFailure {
            ending = .failed(failure)
        } catch let error as PostgresError where error.isTransient {
            ending = .failed(ComposeFailure(.internal, "The database was away while the compose was made.", isTransient: true))
        } catch {
            logger.error("attempt failed unexpectedly", metadata: ["error": "\(String(reflecting: error))"])
            ending = .failed(
                ComposeFailure(
                    .internal, "Something went wrong that should not have; the server's log has it under compose \(lease.compose.id).",
                    isTransient: true))
        }
        await settle(ending, of: lease, log: attempt.log, logger: logger)
    }

    private enum Ending {
        case failed(ComposeFailure)
        case stopped
        case leaseLost
    }

    /// What cannot be written down now is taken up by the reaper, when the lease has run out.
    private func settle(_ ending: Ending, of lease: ComposeLease, log: ComposeLog?, logger: Logger) async {
        do {
            switch ending {
            case .failed(let failure):
                log?.write(.error, failure.message)
                switch try await store.fail(lease, with: failure, retries: configuration.retries) {
                case .failed: logger.info("compose failed", metadata: ["code": "\(failure.code)", "reason": "\(failure.message)"])
                case .retried(let delay):
                    logger.info("compose will be tried again", metadata: ["reason": "\(failure.message)", "after": "\(delay)"])
                case .leaseLost: logger.info("lease was lost; nothing was written")
                }
            case .stopped:
                log?.write(.info, "This worker stops; another takes over.")
                if try await store.release(lease) { logger.info("lease was given back") }
            case .leaseLost:
                logger.info("lease was lost; nothing was written")
            }
        } catch {
            logger.error("could not record how the attempt ended", metadata: ["error": "\(error)"])
        }
    }
}
