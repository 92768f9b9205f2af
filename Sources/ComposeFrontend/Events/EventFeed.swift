import ComposeModel
public import ComposeStore
public import Logging
public import Postgres
public import ServiceLifecycle
import Synchronization

/// An event feed has the last events of the database in memory and wakes the requests that wait for
/// events. One query for each batch serves all of them.
///
/// A reader remembers a position and asks for what follows. A reader that is slow, or that comes from
/// before a restart, reads the older events from the database. So nothing is kept for a reader.
public final class EventFeed: Service {
    private struct Reader {
        let wake: AsyncStream<Void>.Continuation
        /// The only compose whose events wake the reader. `nil` for all events.
        let compose: Int?
    }

    private struct State {
        /// Consecutive events. The last one has the position ``knownTo``.
        var events: [StoredEvent] = []
        /// The position up to which the feed knows all events. `nil` until it has looked.
        var knownTo: Int?
        var readers: [Int: Reader] = [:]
        var nextReader = 0
        /// The number of streams and waiting requests of each caller.
        var open: [String: Int] = [:]
        var openInAll = 0
    }

    /// The number of events in memory.
    private static let most = 1000
    /// The interval at which all readers are woken, so that each can send a sign of life.
    static let heartbeat = Duration.seconds(15)

    private let store: ComposeStore
    private let notifications: @Sendable () -> AsyncStream<PostgresNotification>
    private let mostOpen: Int
    private let mostOpenPerCaller: Int
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - notifications: Returns the notifications of the database, for ``run()``.
    ///   - mostOpen: The maximum number of streams and waiting requests.
    ///   - mostOpenPerCaller: The maximum number of those of one account or address.
    public init(
        store: ComposeStore, mostOpen: Int = 500, mostOpenPerCaller: Int = 50, logger: Logger,
        notifications: @escaping @Sendable () -> AsyncStream<PostgresNotification>
    ) {
        self.store = store
        self.mostOpen = mostOpen
        self.mostOpenPerCaller = mostOpenPerCaller
        self.logger = logger
        self.notifications = notifications
    }

    /// Reads new events after each notification, until the graceful shutdown.
    public func run() async throws {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let notifications = notifications()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await notification in notifications where notification.mayBringEvents { wake.yield() }
                }
                group.addTask {
                    // The sleep fails only if the task is canceled.
                    while (try? await Task.sleep(for: Self.heartbeat)) != nil {
                        wake.yield()
                        self.wakeAll()
                    }
                }
                for await _ in wakes { await self.refresh() }
                group.cancelAll()
            }
        }
    }

    /// Reads the events that the feed does not know yet, and wakes the readers that they concern.
    private func refresh() async {
        // Without readers, events are not worth reading. The first reader reads from the database.
        let isNeeded = state.withLock { state in
            if state.readers.isEmpty { (state.events, state.knownTo) = ([], nil) }
            return !state.readers.isEmpty
        }
        guard isNeeded else { return }
        do {
            guard let known = state.withLock(\.knownTo) else {
                let last = try await store.eventBounds().last
                state.withLock { $0.knownTo = last }
                return wakeAll()
            }
            var last = known
            while true {
                let events = try await store.events(after: last, limit: Self.most)
                guard let newest = events.last else { return }
                last = newest.position
                add(events)
                if events.count < Self.most { return }
            }
        } catch is CancellationError {
            return
        } catch {
            logger.warning("could not read events", metadata: ["error": "\(error)"])
        }
    }

    private func add(_ events: [StoredEvent]) {
        let composes = Set(events.map { if case .compose(let compose) = $0.subject { compose.id } else { 0 } })
        let readers = state.withLock { state in
            state.events += events
            if state.events.count > Self.most { state.events.removeFirst(state.events.count - Self.most) }
            state.knownTo = events.last?.position
            return state.readers.values.filter { $0.compose.map(composes.contains) ?? true }
        }
        for reader in readers { reader.wake.yield() }
    }

    private func wakeAll() {
        for reader in state.withLock({ Array($0.readers.values) }) { reader.wake.yield() }
    }

    // MARK: Readers

    /// Returns events that follow a position, in their order. Their number is bounded. The result is
    /// empty if the position is that of the last event.
    func events(after position: Int) async throws -> [StoredEvent] {
        let found = state.withLock { state -> [StoredEvent]? in
            guard let known = state.knownTo else { return nil }
            if position == known { return [] }
            guard let first = state.events.first, position + 1 >= first.position, position < known else { return nil }
            return Array(state.events[(position + 1 - first.position)...])
        }
        if let found { return found }
        return try await store.events(after: position, limit: Self.most)
    }

    /// Runs `body` with wakes: one at once, one after each event, and one at each heartbeat. They end with
    /// the graceful shutdown, or when the time is over.
    ///
    /// - Parameters:
    ///   - compose: The only compose whose events wake. `nil` for all events.
    ///   - time: The longest time.
    func withWakes<R>(
        isolation: isolated (any _Concurrency.Actor)? = #isolation, of compose: Int? = nil, lasting time: Duration,
        _ body: (AsyncStream<Void>) async throws -> R
    ) async throws -> R {
        let (stream, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        wake.yield()
        let number = state.withLock { state in
            state.nextReader += 1
            state.readers[state.nextReader] = Reader(wake: wake, compose: compose)
            return state.nextReader
        }
        let timer = Task {
            // A canceled sleep means that the wakes are not needed any more.
            try? await Task.sleep(for: time)
            wake.finish()
        }
        defer {
            timer.cancel()
            state.withLock { state in _ = state.readers.removeValue(forKey: number) }
        }
        return try await withGracefulShutdownHandler {
            try await body(stream)
        } onGracefulShutdown: {
            wake.finish()
        }
    }

    // MARK: Limits

    /// A place is the right to one stream or waiting request. It ends with the last reference.
    final class Place: Sendable {
        private let feed: EventFeed
        private let caller: String

        fileprivate init(_ feed: EventFeed, _ caller: String) {
            self.feed = feed
            self.caller = caller
        }

        deinit { feed.leave(caller) }
    }

    /// The number of streams and waiting requests.
    var openPlaces: Int { state.withLock(\.openInAll) }

    /// Takes a place for a caller.
    ///
    /// - Returns: `nil` if there are too many.
    func place(for caller: String) -> Place? {
        let isFree = state.withLock { state in
            guard state.openInAll < mostOpen, state.open[caller, default: 0] < mostOpenPerCaller else { return false }
            state.open[caller, default: 0] += 1
            state.openInAll += 1
            return true
        }
        return isFree ? Place(self, caller) : nil
    }

    private func leave(_ caller: String) {
        state.withLock { state in
            state.openInAll -= 1
            state.open[caller] = state.open[caller].flatMap { $0 > 1 ? $0 - 1 : nil }
        }
    }
}

extension PostgresNotification {
    /// Whether events may have got positions. Example: `events 57`.
    fileprivate var mayBringEvents: Bool {
        guard case .notified(let payload) = self else { return true }
        return payload.hasPrefix("events ")
    }
}
