import BackgroundWork
import ComposeModel
public import ComposeStore
import ContentSources
public import Logging
public import Postgres
import Retries
public import ServiceLifecycle

/// A tag watcher makes the composes of watches. It regularly asks Koji whether a watched tag has
/// changed. It makes a new compose for a watch if the packages that the request takes from the tag have
/// changed.
///
/// Every worker with a Koji has a tag watcher. The first watcher that finds a watch due takes all
/// watches. A round in which nothing has changed takes one call of the hub.
public struct TagWatcher: Service {
    let configuration: WorkerConfiguration
    let store: ComposeStore
    let listener: PostgresListener
    let channel: String
    let pipeline: ComposePipeline
    let logger: Logger

    /// The longest pause before a failed look at a watch is repeated, if the tag does not change.
    private static let longestPause = Duration.seconds(900)

    public init(
        configuration: WorkerConfiguration, store: ComposeStore, listener: PostgresListener, channel: String, pipeline: ComposePipeline,
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.listener = listener
        self.channel = channel
        self.pipeline = pipeline
        self.logger = logger
    }

    public func run() async throws {
        guard let koji = pipeline.sources.koji?.source else { return try await gracefulShutdown() }
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let notifications = listener.notifications(on: channel, where: \.mayBeOfWatch)
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    await cancelWhenGracefulShutdown {
                        for await _ in notifications { wake.yield() }
                    }
                }
                group.addTask {
                    await periodically(every: min(configuration.pollInterval, configuration.watchInterval)) { wake.yield() }
                }
                for await _ in wakes where !Task.isShuttingDownGracefully { await round(koji) }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            wake.finish()
        }
    }

    // MARK: A round

    /// Checks all watches if any of them is due.
    private func round(_ koji: KojiSource) async {
        do {
            try await store.keepComposesOfWatches()
            guard let lease = try await store.leaseWatches(for: configuration.leaseLength) else { return }
            do {
                try await cancelWhenGracefulShutdown { try await keep(lease) { try await look(lease, koji) } }
            } catch {
                // The worker stops, or the database became unavailable during the round.
                try await store.release(lease)
                if !(error is CancellationError) { throw error }
            }
        } catch {
            logger.workFailed("could not look for watches", error)
        }
    }

    /// Runs `body` and renews the lease meanwhile. A worker that has lost the lease nevertheless can write
    /// nothing more under it.
    private func keep(_ lease: WatchLease, while body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await body() }
            group.addTask {
                while true {
                    try await Task.sleep(for: configuration.leaseLength / 3)
                    try await store.heartbeat(lease, for: configuration.leaseLength)
                }
            }
            defer { group.cancelAll() }
            // The first task to end decides. The body ends when it is done. The renewal ends only by throwing.
            try await group.next()
        }
    }

    private func look(_ lease: WatchLease, _ koji: KojiSource) async throws {
        let changes: Changes
        do throws(ComposeFailure) {
            changes = try await self.changes(of: lease.items.filter { !$0.isLookDue }, koji)
        } catch {
            if error.code == .canceled { throw CancellationError() }
            logger.warning("could not ask Koji for changes of watched tags", metadata: ["reason": "\(error.message)"])
            // Looks that are due would fail for the same reason.
            return try await store.record(problem: error.message, lease, next: configuration.watchInterval)
        }
        try await store.recordUnchanged(changes.unchanged.map(\.watch.id), upTo: changes.event, lease, next: configuration.watchInterval)
        for item in lease.items.filter(\.isLookDue) + changes.changed {
            try await look(for: item, upTo: changes.event, lease, koji)
        }
    }

    /// The watches whose tags have changed, and the watches whose tags have not.
    private struct Changes {
        var changed: [WatchLease.Item] = []
        var unchanged: [WatchLease.Item] = []
        /// The event up to which the changes are known. `nil` if no tag has changed, because Koji is not asked
        /// for an event then.
        var event: Int?
    }

    private func changes(of items: [WatchLease.Item], _ koji: KojiSource) async throws(ComposeFailure) -> Changes {
        let known = items.compactMap { item in item.known.map { (item: item, known: $0) } }
        guard let earliest = known.map(\.known.event).min(),
            try await koji.hasChanged(KnownTags(known.flatMap(\.known.tags), event: earliest))
        else { return Changes(unchanged: items) }
        // The changes count only up to an event before which no other change can appear. Koji is asked for
        // that event first. So the next round finds changes that are made between the two calls.
        let event = try await koji.settledEvent()
        let changed = try await koji.changed(among: Set(known.map(\.known)))
        func hasChanged(_ item: WatchLease.Item) -> Bool { item.known.map(changed.contains) ?? false }
        return Changes(changed: items.filter(hasChanged), unchanged: items.filter { !hasChanged($0) }, event: event)
    }

    // MARK: A look

    /// Finds out which packages the request of a watch resolves to now, and records the result.
    private func look(for item: WatchLease.Item, upTo event: Int?, _ lease: WatchLease, _ koji: KojiSource) async throws {
        var logger = logger
        logger[metadataKey: "watch"] = "\(item.watch.id)"
        var known: KnownTags?
        do {
            let request = item.watch.request
            let (tag, _) = try await koji.pin(
                tag: request.source.joined(separator: " "), event: nil, inherits: !request.flags.contains(.noInheritance), earlier: nil)
            let tags = try await koji.tags(of: tag)
            known = KnownTags(tags, event: tag.event)
            let (pins, choice) = try await pipeline.choose(as: tag, for: request)
            let compose = try await store.record(
                WatchFinding(pins: pins, tags: tags.sorted(), packagesKey: choice.key), for: item, lease,
                next: configuration.watchInterval,
                // A change with an earlier event number may still appear.
                confirmation: item.isConfirmation ? nil : .seconds(KojiSource.longestChange))
            if let compose {
                logger.info("packages of a watched tag have changed", metadata: ["compose": "\(compose.id)", "event": "\(tag.event)"])
            } else {
                logger.debug("a watched tag has changed, and its packages have not", metadata: ["event": "\(tag.event)"])
            }
        } catch let error where error is CancellationError || error is PostgresError {
            throw error
        } catch {
            let failure = Self.failure(error, of: item.watch, logger)
            // The interrupted operation reports in its own words that it was canceled. Only the end of this worker
            // cancels it.
            if failure.code == .canceled { throw CancellationError() }
            logger.warning("a look for a watch failed", metadata: ["reason": "\(failure.message)"])
            let interval = configuration.watchInterval
            let pause = Backoff(first: interval, longest: max(Self.longestPause, interval)).ceiling(after: item.failures + 1)
            try await store.record(
                problem: failure.message, for: item, upTo: known?.event ?? event, tags: known?.tags.sorted(), lease,
                next: configuration.watchInterval, pause: pause)
        }
    }

    private static func failure(_ error: any Error, of watch: ComposeWatch, _ logger: Logger) -> ComposeFailure {
        if let failure = error as? ComposeFailure { return failure }
        logger.error("a look failed unexpectedly", metadata: ["error": "\(String(reflecting: error))"])
        return ComposeFailure(
            .internal, "Something went wrong that should not have; the server's log has it under watch \(watch.id).", isTransient: true)
    }
}

extension WatchLease.Item {
    /// The tags of the watch, and the event up to which their changes are known. `nil` until the tag has
    /// been found.
    fileprivate var known: KnownTags? {
        guard let event = watch.kojiEvent, !tags.isEmpty else { return nil }
        return KnownTags(tags, event: event)
    }
}

extension PostgresNotification {
    /// Whether the notification is `watch ID`, or means that anything may have happened.
    fileprivate var mayBeOfWatch: Bool {
        guard case .notified(let payload) = self else { return true }
        return payload.hasPrefix("watch ")
    }
}
