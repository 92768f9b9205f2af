import ComposeModel
import ComposeStore
import Foundation
import Logging
import Postgres
import ServiceLifecycle
import TraceContext
import Tracing

/// An attempt runner makes one attempt at one compose. It keeps the lease while the pipeline runs, and
/// records the outcome.
struct AttemptRunner: Sendable {
    let configuration: WorkerConfiguration
    let store: ComposeStore
    let keeper: LeaseKeeper
    let pipeline: ComposePipeline
    /// Returns why this worker cannot make the compose of a request, although other workers may be able to.
    /// Returns `nil` if it can.
    let refusal: @Sendable (ComposeRequest) -> String?
    let slots: SlotKeeper
    let logger: Logger

    init(
        configuration: WorkerConfiguration, store: ComposeStore, listener: PostgresListener, channel: String, pipeline: ComposePipeline,
        refusal: @escaping @Sendable (ComposeRequest) -> String?, logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        keeper = LeaseKeeper(store: store, listener: listener, channel: channel, length: configuration.leaseLength)
        self.pipeline = pipeline
        self.refusal = refusal
        slots = SlotKeeper(slots: configuration.slots)
        self.logger = logger
    }

    /// Makes the attempt and records its outcome. It is a span in the trace of the request.
    ///
    /// - Parameter asked: A moment before the lease was requested.
    func run(_ lease: ComposeLease, asked: ContinuousClock.Instant) async {
        let request = ServiceContext.following(lease.traceParent)
        await withSpan("compose.attempt", context: request, ofKind: .consumer) { span in
            if request.traceParent != nil { span.addLink(SpanLink(context: request, attributes: [:])) }
            span.attributes["odcs.compose.id"] = lease.compose.id
            span.attributes["odcs.source_type"] = lease.compose.request.sourceType.name
            span.attributes["odcs.attempt"] = lease.compose.attempts
            await attempt(lease, asked: asked, span)
        }
    }

    private func attempt(_ lease: ComposeLease, asked: ContinuousClock.Instant, _ span: any Span) async {
        var logger = logger
        logger[metadataKey: "compose"] = "\(lease.compose.id)"
        if let reason = refusal(lease.compose.request) {
            span.attributes["odcs.outcome"] = "refused"
            return await refuse(lease, reason, logger: logger)
        }
        let deadline = LeaseDeadline(asked: asked, length: configuration.leaseLength)
        let attempt: ComposeAttempt
        do {
            try checkTarget(of: lease)
            attempt = try ComposeAttempt(lease, until: deadline, configuration: configuration)
        } catch {
            span.note(.failed(error))
            await settle(.failed(error), of: lease, log: nil, logger: logger)
            return
        }
        if let trace = span.context.traceParent?.trace, let link = configuration.traceLink {
            attempt.log.write(.info, "Trace: \(link.replacing("{trace}", with: trace))")
        }
        if lease.compose.attempts == 1 { attempt.meter.add(.wait, of: lease.compose) }
        let ending = await ending(of: attempt, logger: logger)
        // A compose that joined another one is not made yet.
        if case nil = ending, attempt.meter.tally.events[.composeJoined] == nil { attempt.meter.add(.duration, of: lease.compose) }
        span.note(ending)
        // The directory is removed first. When a client sees that a compose has failed, no files are left.
        attempt.removeDirectory(logger: logger)
        if let ending { await settle(ending, of: lease, log: attempt.log, logger: logger) }
        await record(attempt.meter.tally, logger: logger)
    }

    /// Throws `.storage` if the target directory is not the one that the service uses. It may have been
    /// unmounted since the worker started. The compose would then be written to the disk below, where no
    /// frontend of another host finds it.
    private func checkTarget(of lease: ComposeLease) throws(ComposeFailure) {
        let name = lease.compose.request.targetDir
        guard let target = configuration.targets[name], let identity = target.identity else { return }
        let found: UUID?
        do {
            found = try TargetMarker(in: target.directory).read()
        } catch {
            throw ComposeFailure(storage: error)
        }
        guard found == identity else {
            throw ComposeFailure(
                .storage,
                "The target directory \(name) is not the one that this service uses. The operator of this service has to mount it again.",
                isTransient: true)
        }
    }

    /// Runs the pipeline. Returns `nil` if the pipeline has ended without an error.
    private func ending(of attempt: ComposeAttempt, logger: Logger) async -> Ending? {
        let lease = attempt.lease
        do {
            try await cancelWhenGracefulShutdown {
                let limit = AttemptLimit(length: configuration.composeLimit)
                try await keeper.keep(lease, until: attempt.deadline) {
                    try await slots.hold(lease.compose.id, attempt: lease.token) {
                        try await limit.hold { try await pipeline.run(attempt) }
                    }
                }
            }
            logger.info("compose is through")
            return nil
        } catch is LeaseLost {
            return .leaseLost
        } catch let error as GaveWay {
            return .gaveWay(error)
        } catch is CancellationError {
            return .stopped
        } catch let failure as ComposeFailure where failure.code == .canceled && (Task.isCancelled || Task.isShuttingDownGracefully) {
            // The interrupted operation reports in its own words that it was canceled. Only the end of this worker
            // cancels it.
            return .stopped
        } catch let failure as ComposeFailure where failure.code == .canceled {
            // Giving the lease back would repeat the attempt at once, and without end.
            logger.error("an attempt was canceled for no known reason", metadata: ["error": "\(failure.message)"])
            return .failed(Self.unexplained(lease))
        } catch let failure as ComposeFailure {
            return .failed(failure)
        } catch let error as PostgresError where error.isTransient {
            return .failed(ComposeFailure(.internal, "The database was away while the compose was made.", isTransient: true))
        } catch {
            logger.error("attempt failed unexpectedly", metadata: ["error": "\(String(reflecting: error))"])
            return .failed(Self.unexplained(lease))
        }
    }

    /// Leaves the compose to another worker.
    private func refuse(_ lease: ComposeLease, _ reason: String, logger: Logger) async {
        logger.warning("this worker cannot make a compose, and leaves it to others", metadata: ["reason": "\(reason)"])
        do {
            _ = try await store.refuse(lease, by: configuration.name, reason: reason)
        } catch {
            logger.error("could not give a compose back", metadata: ["error": "\(error)"])
        }
    }

    private static func unexplained(_ lease: ComposeLease) -> ComposeFailure {
        ComposeFailure(
            .internal, "Something went wrong that should not have; the server's log has it under compose \(lease.compose.id).",
            isTransient: true)
    }

    /// Records the metrics of an attempt. Metrics that cannot be recorded are lost, because they are no
    /// reason to delay the worker.
    private func record(_ tally: WorkTally, logger: Logger) async {
        do {
            try await store.record(tally)
        } catch {
            logger.warning("could not record what the attempt did", metadata: ["error": "\(error)"])
        }
    }

    fileprivate enum Ending {
        case failed(ComposeFailure)
        case stopped
        case gaveWay(GaveWay)
        case leaseLost
    }

    /// Records how an attempt ended. If that fails, the reaper takes the compose up after the lease has
    /// expired.
    private func settle(_ ending: Ending, of lease: ComposeLease, log: ComposeLog?, logger: Logger) async {
        do {
            switch ending {
            case .failed(let failure):
                let mayWait = failure.code == .packageUnsigned && lease.compose.request.unsignedWaitSeconds != nil
                log?.write(mayWait ? .warning : .error, failure.message)
                // The stored failure is bounded. The log has all details.
                if failure.bounded != failure { for detail in failure.details { log?.write(.info, detail.description) } }
                switch try await store.fail(lease, with: failure, retries: configuration.retries) {
                case .failed:
                    logger.log(
                        level: failure.code.logLevel, "compose failed",
                        metadata: ["code": "\(failure.code.rawValue)", "reason": "\(failure.message)"])
                case .retried(let delay):
                    logger.log(
                        level: failure.code.logLevel, "compose will be tried again",
                        metadata: ["reason": "\(failure.message)", "after": "\(delay)"])
                case .awaitsSignatures(let deadline):
                    log?.write(.info, "It waits for signatures until \(ComposeDocument.format(deadline)).")
                    logger.info("compose waits for signatures", metadata: ["until": "\(ComposeDocument.format(deadline))"])
                case .leaseLost: logger.info("lease was lost; nothing was written")
                }
            case .stopped:
                log?.write(.info, "This worker stops; another takes over.")
                if try await store.release(lease) { logger.info("lease was given back") }
            case .gaveWay(let error):
                let reason =
                    "\(error.origin) has sent nothing, or too little, for some time. The compose goes back to the queue while others are made."
                log?.write(.warning, reason)
                // This is done before the slot is free. Otherwise the slot would take the next compose of the same
                // origin.
                try await store.rest(repositoriesAt: error.origin, for: SlotKeeper.rest)
                if try await store.release(lease, after: SlotKeeper.rest, because: reason) {
                    logger.info("compose gave way to others", metadata: ["origin": "\(error.origin)"])
                }
            case .leaseLost:
                logger.info("lease was lost; nothing was written")
            }
        } catch {
            logger.error("could not record how the attempt ended", metadata: ["error": "\(error)"])
        }
    }
}

extension Span {
    /// Records how an attempt ended. `nil` means that it ended without an error.
    fileprivate func note(_ ending: AttemptRunner.Ending?) {
        switch ending {
        case nil: attributes["odcs.outcome"] = "through"
        case .failed(let failure)?:
            attributes["odcs.outcome"] = failure.code.rawValue
            setStatus(SpanStatus(code: .error, message: failure.message))
        case .stopped?: attributes["odcs.outcome"] = "stopped"
        case .gaveWay?: attributes["odcs.outcome"] = "gave-way"
        case .leaseLost?: attributes["odcs.outcome"] = "lease-lost"
        }
    }
}

extension ComposeFailure.Code {
    /// The level at which a failure is logged. Failures of the service itself are warnings, because its
    /// operator has to act. All others are the concern of the user.
    fileprivate var logLevel: Logger.Level {
        switch self {
        case .storage, .signing, .internal: .warning
        default: .info
        }
    }
}
