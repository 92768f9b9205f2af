import ComposeModel
public import ComposeStore
public import Logging
public import Postgres
public import ServiceLifecycle
import Synchronization

/// An event feed has the last events of the database in memory and wakes the requests that wait for
/// events. One query for each batch serves all of them.
///
/// A reader remembers a position and asks for the events after it. A reader that is slow, or that comes
/// from before a restart, reads the older events from the database. So nothing is kept for a reader.
public final class EventFeed: Service {
    private struct Reader {
        let wake: AsyncStream<Void>.Continuation
        /// The only object whose events wake the reader. `nil` for all events.
        let object: StoredEvent.Object?
    }

    private struct State {
        /// The events in memory.
        var known: KnownEvents?
        var readers: [Int: Reader] = [:]
        var nextReader = 0
        /// The number of streams and waiting requests of each caller.
        var open: [String: Int] = [:]
        var openInAll = 0
    }

    /// The number of events that one query reads. The requests of composes can be long.
    private static let batch = 100
    /// The number of recent events that the feed begins with.
    private static let recent = 500
    /// The interval at which all readers are woken, so that each can send a sign of life.
    static let heartbeat = Duration.seconds(15)

    private let store: ComposeStore
    private let notifications: @Sendable () -> AsyncStream<PostgresNotification>
    private let mostOpen: Int
    private let mostOpenPerCaller: Int
    private let logger: Logger
    private let state = Mutex(State())
    private let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

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
        let notifications = notifications()
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in notifications { self.wake.yield() }
                }
                group.addTask {
                    // The sleep fails only if the task is canceled.
                    while (try? await Task.sleep(for: Self.heartbeat)) != nil {
                        self.wake.yield()
                        self.wakeAll()
                    }
                }
                for await _ in self.wakes { await self.refresh() }
                group.cancelAll()
            }
        }
    }

    /// Reads the events that the feed does not know yet, and wakes the readers that they concern.
    private func refresh() async {
        // Without readers, events are not worth reading.
        let isNeeded = state.withLock { state in
            if state.readers.isEmpty { state.known = nil }
            return !state.readers.isEmpty
        }
        guard isNeeded else { return }
        do {
            guard var last = knownTo else { return try await begin() }
            while true {
                let events = try await store.events(after: last, limit: Self.batch)
                guard let newest = events.last else { return }
                last = newest.position
                add(events)
                if events.count < Self.batch { return }
            }
        } catch is CancellationError {
            return
        } catch {
            logger.warning("could not read events", metadata: ["error": "\(error)"])
        }
    }

    /// Reads the last events, which readers ask for that come after a restart, and wakes all readers.
    private func begin() async throws {
        let last = try await store.eventBounds().last
        var known = KnownEvents(after: max(0, last - Self.recent))
        while known.end < last {
            let events = try await store.events(after: known.end, limit: Self.batch)
            known.add(events, to: events.count < Self.batch ? max(last, events.last?.position ?? 0) : events[events.count - 1].position)
        }
        state.withLock { [known] in $0.known = known }
        wakeAll()
    }

    private func add(_ events: [StoredEvent]) {
        let objects = Set(events.map(\.object))
        let readers = state.withLock { state in
            state.known?.add(events, to: events.last?.position ?? 0)
            return state.readers.values.filter { $0.object.map(objects.contains) ?? true }
        }
        for reader in readers { reader.wake.yield() }
    }

    private func wakeAll() {
        for reader in state.withLock({ Array($0.readers.values) }) { reader.wake.yield() }
    }

    // MARK: Readers

    /// The position up to which the feed has the events in memory. `nil` until it has looked.
    var knownTo: Int? { state.withLock(\.known?.end) }

    /// Events that follow a position.
    struct Batch {
        var events: [StoredEvent]
        /// The position up to which there are no others, besides those that were left out.
        var end: Int
        /// Whether the database may have further events.
        var hasMore: Bool
    }

    /// Returns events that follow a position, in their order. Their number is bounded.
    ///
    /// - Parameters:
    ///   - last: The position of an event that the database has. The feed may not know it yet.
    ///   - filter: Events that it leaves out may be missing.
    func events(after position: Int, havingAtLeast last: Int = 0, roughly filter: EventFilter) async throws -> Batch {
        let known = state.withLock { state -> Batch? in
            guard let known = state.known, known.end >= last, let events = known.events(after: position) else { return nil }
            return Batch(events: events, end: known.end, hasMore: false)
        }
        if let known { return known }
        let last = try await store.eventBounds().last
        guard position < last else { return Batch(events: [], end: position, hasMore: false) }
        let events = try await store.events(after: position, to: last, roughly: filter, limit: Self.batch)
        let hasMore = events.count == Self.batch
        return Batch(events: events, end: hasMore ? events[events.count - 1].position : last, hasMore: hasMore)
    }

    /// Runs `body` with wakes: one at once, one after each event, and one at each heartbeat. They end with
    /// the graceful shutdown, or when the time is over.
    ///
    /// - Parameters:
    ///   - object: The only object whose events wake. `nil` for all events.
    ///   - time: The longest time.
    func withWakes<R>(
        isolation: isolated (any _Concurrency.Actor)? = #isolation, of object: StoredEvent.Object? = nil, lasting time: Duration,
        _ body: (AsyncStream<Void>) async throws -> R
    ) async throws -> R {
        let (stream, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        wake.yield()
        let (number, isFirst) = state.withLock { state in
            state.nextReader += 1
            state.readers[state.nextReader] = Reader(wake: wake, object: object)
            return (state.nextReader, state.known == nil)
        }
        if isFirst { self.wake.yield() }
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

    /// Waits until `isOver` says so, or until the time is over. It is asked at once, and after each event
    /// of the object. If too many requests of the caller wait already, this one does not wait.
    func wait(
        for object: StoredEvent.Object, as caller: String, atMost time: Duration, until isOver: () async throws -> Bool
    ) async throws {
        guard time > .zero, try await !isOver(), let place = place(for: caller) else { return }
        try await withWakes(of: object, lasting: time) { wakes in
            for await _ in wakes where try await isOver() { break }
        }
        withExtendedLifetime(place) {}
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

/// The events in memory: all between two positions, as far as they are not deleted.
private struct KnownEvents {
    /// The maximum number of events, and of the packages and builds in their requests.
    private static let (mostEvents, mostNames) = (1000, 100_000)

    private var events: [StoredEvent] = []
    private var names = 0
    /// The positions between which all events are known.
    private var start: Int
    private(set) var end: Int

    init(after position: Int) {
        (start, end) = (position, position)
    }

    /// Adds the events that follow ``end``. Drops the oldest ones if there are too many.
    mutating func add(_ new: [StoredEvent], to end: Int) {
        events += new
        names += new.reduce(0) { $0 + $1.names }
        self.end = end
        var surplus = 0
        while surplus < events.count, events.count - surplus > Self.mostEvents || names > Self.mostNames {
            names -= events[surplus].names
            start = events[surplus].position
            surplus += 1
        }
        events.removeFirst(surplus)
    }

    /// Returns the events after a position. Returns `nil` if not all of them are known.
    func events(after position: Int) -> [StoredEvent]? {
        guard position >= start, position <= end else { return nil }
        // Most readers have nearly all.
        let first = events.lastIndex { $0.position <= position }.map { $0 + 1 } ?? 0
        return Array(events[first...])
    }
}

extension StoredEvent {
    /// The number of packages and builds in the request.
    fileprivate var names: Int {
        guard case .compose(let compose) = subject else { return 0 }
        return compose.request.packages.count + compose.request.builds.count
    }
}
