import ComposeStore
import ComposeWorker
import ImageModel
import Logging
import Postgres
import Retries
import ServiceLifecycle

/// The attempts at steps. Each keeps the lease while the runner works, and records the outcome.
struct StepAttempts: Sendable {
    let configuration: StepConfiguration
    let store: ComposeStore
    let keeper: LeaseKeeper
    let runner: any StepRunner
    let cleaning: StepCleaning
    let logger: Logger

    /// Makes an attempt at a step and records its outcome. If that fails, the reaper takes the step up
    /// after the lease has expired.
    ///
    /// - Parameter asked: A moment before the lease was requested.
    func run(_ lease: StepLease, asked: ContinuousClock.Instant) async {
        var logger = logger
        logger[metadataKey: "build"] = "\(lease.step.build)"
        logger[metadataKey: "step"] = "\(lease.step.platform?.description ?? "manifest list")"
        let deadline = LeaseDeadline(asked: asked, length: configuration.leaseLength)
        let ending = await ending(of: lease, until: deadline, logger: logger)
        do {
            switch ending {
            case .done(let result, let build):
                let isHeld = try await store.finish(
                    lease, digest: result.digest, tags: result.tags, verification: result.verification, of: build)
                logger.info(isHeld ? "step is done" : "lease was lost; nothing was written", metadata: ["digest": "\(result.digest)"])
                // Another attempt may use what a lost one has left.
                if isHeld { cleaning.add(lease.step, of: build) }
            case .failed(let failure, let isOfNode):
                let retries = failure.code == .registryUnreachable ? configuration.registryRetries : configuration.retries
                switch try await store.fail(lease, with: failure, isOfNode: isOfNode, retries: retries) {
                case .retried(let delay):
                    logger.info("step will be tried again", metadata: ["reason": "\(failure.message)", "after": "\(delay)"])
                case .leaseLost: logger.info("lease was lost; nothing was written")
                case .failed, .awaitsSignatures:
                    logger.info("step failed", metadata: ["code": "\(failure.code.rawValue)", "reason": "\(failure.message)"])
                }
            case .gone(let gone):
                switch try await store.redo(gone.images, before: lease, orFail: gone.failure, retries: configuration.retries) {
                case .retried: logger.notice("images are gone from the registry; their platforms are done again")
                case .leaseLost: logger.info("lease was lost; nothing was written")
                case .failed, .awaitsSignatures: logger.info("step failed", metadata: ["reason": "\(gone.failure.message)"])
                }
            case .unneeded(let digest):
                logger.info("nothing in the image is older any more; the build is done", metadata: ["digest": "\(digest)"])
            case .stopped:
                if try await store.release(lease) { logger.info("lease was given back") }
            case .leaseLost:
                logger.info("lease was lost; nothing was written")
            }
        } catch {
            logger.error("could not record how the step ended", metadata: ["error": "\(error)"])
        }
    }

    private enum Ending {
        case done(StepResult, Build)
        /// - Parameter isOfNode: Whether a node of a farm is to blame.
        case failed(BuildFailure, isOfNode: Bool = false)
        /// The manifest list waits for platforms again.
        case gone(GoneImages)
        /// The image has the packages of its rebuild already.
        case unneeded(ImageDigest)
        case stopped
        case leaseLost
    }

    private func ending(of lease: StepLease, until deadline: LeaseDeadline, logger: Logger) async -> Ending {
        do {
            guard let inputs = try await store.stepInputs(of: lease.step.build) else { return .leaseLost }
            if inputs.build.rebuild != nil, let digest = try await store.finishIfUnneeded(lease) { return .unneeded(digest) }
            let result = try await cancelWhenGracefulShutdown {
                try await keeper.keep(lease, until: deadline) {
                    try await withinLimit { try await runner.run(lease, inputs, until: deadline) }
                }
            }
            return .done(result, inputs.build)
        } catch is LeaseLost {
            return .leaseLost
        } catch is CancellationError {
            return .stopped
        } catch let failure as BuildFailure where failure.code == .canceled && (Task.isCancelled || Task.isShuttingDownGracefully) {
            // The interrupted operation reports in its own words that it was canceled.
            return .stopped
        } catch let failure as BuildFailure {
            return .failed(failure)
        } catch let failure as FailureOfNode {
            return .failed(failure.failure, isOfNode: true)
        } catch let gone as GoneImages {
            return .gone(gone)
        } catch let error as PostgresError where error.isTransient {
            return .failed(BuildFailure(.internal, "The database was away while the step was done.", isTransient: true))
        } catch {
            logger.error("step failed unexpectedly", metadata: ["error": "\(String(reflecting: error))"])
            return .failed(
                BuildFailure(
                    .internal, "Something went wrong that should not have; the server's log has it under build \(lease.step.build).",
                    isTransient: true))
        }
    }

    /// Runs `body` for as long as a step may take.
    private func withinLimit(_ body: @escaping @Sendable () async throws -> StepResult) async throws -> StepResult {
        try await withThrowingTaskGroup(of: StepResult.self) { group in
            group.addTask { try await body() }
            group.addTask {
                // This task is the clock of the other task, and is canceled when the other task ends.
                try await longSleep(for: configuration.limit)
                throw BuildFailure(
                    .limitExceeded,
                    "The step was not complete after \(configuration.limit.components.seconds) seconds, the most that this service takes "
                        + "for one (images.time_limit_seconds).")
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }
}
