public import Logging
public import Retries
public import ServiceLifecycle
import Synchronization

/// A service that listens on channels, with one connection outside any pool. When the connection is
/// lost, it connects again, with longer delays after each failure.
///
/// Notifications are hints. A reader that is too slow loses the oldest ones. An observer gets all of
/// them while the listener listens, and ``catchUp()`` waits for them.
public final class PostgresListener: Service {
    private typealias Continuation = AsyncStream<PostgresNotification>.Continuation

    /// A function that is called with each notification on a channel, in order.
    public typealias Observer = @Sendable (PostgresNotification) -> Void

    /// A query for texts that ``catchUp()`` sends, and the receiver of its answer.
    public struct Question: Sendable {
        let preparation: String
        let statement: @Sendable () -> String
        let answer: @Sendable ([String]) -> Void

        /// - Parameters:
        ///   - preparation: A script that each new connection runs first. It can prepare the query.
        ///   - statement: Returns the query. Its first column has the texts.
        ///   - answer: Is called with the texts before the callers of ``PostgresListener/catchUp()`` go on, on
        ///     the thread of the connection. It must be quick.
        public init(
            preparation: String, statement: @escaping @Sendable () -> String, answer: @escaping @Sendable ([String]) -> Void
        ) {
            self.preparation = preparation
            self.statement = statement
            self.answer = answer
        }
    }

    /// A stream of notifications, and the choice of its notifications.
    private struct Reader {
        let continuation: Continuation
        let isWanted: @Sendable (PostgresNotification) -> Bool
    }

    private struct State {
        var readers: [String: [Int: Reader]] = [:]
        var observers: [String: [Observer]] = [:]
        var question: Question?
        var nextReader = 0
        var isListening = false
        var isOver = false
        /// The callers of ``catchUp()`` for whom the server was not asked yet.
        var waiting: [CheckedContinuation<Bool, Never>] = []
        /// The pause of the connection, if a caller may end it in order to have the server asked.
        var pause: Suspension?
    }

    /// The longest time in which the server answers a question.
    private static let patience = Duration.seconds(2)

    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let lock: Int64?
    private let backoff: Backoff
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - channels: The names of the channels.
    ///   - lock: The key of an advisory lock that the connection shares. While another session cannot get
    ///     the lock for itself, this process is alive and connected.
    ///   - backoff: The delays before it connects again.
    public init(
        configuration: PostgresConfiguration, channels: [String], lock: Int64? = nil,
        backoff: Backoff = Backoff(first: .milliseconds(100), longest: .seconds(15)), logger: Logger
    ) {
        self.configuration = configuration
        self.channels = channels
        self.lock = lock
        self.backoff = backoff
        self.logger = logger
    }

    /// Returns the notifications on one of the channels, from now until the listener ends. Each call makes
    /// a stream of its own.
    ///
    /// The first element is ``PostgresNotification/reconnected``, as soon as the listener listens.
    ///
    /// - Parameter isWanted: Returns whether the reader wants a notification. The reader is not woken by
    ///   others. It is called on the thread of the connection, so it must be quick.
    public func notifications(
        on channel: String, where isWanted: @escaping @Sendable (PostgresNotification) -> Bool = { _ in true }
    ) -> AsyncStream<PostgresNotification> {
        precondition(channels.contains(channel), "the listener was not made to listen on \(channel)")
        let (stream, continuation) = AsyncStream.makeStream(of: PostgresNotification.self, bufferingPolicy: .bufferingNewest(256))
        let reader = state.withLock { state -> Int? in
            guard !state.isOver else { return nil }
            state.nextReader += 1
            state.readers[channel, default: [:]][state.nextReader] = Reader(continuation: continuation, isWanted: isWanted)
            if state.isListening { continuation.yield(.reconnected) }
            return state.nextReader
        }
        guard let reader else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { state in _ = state.readers[channel]?.removeValue(forKey: reader) }
        }
        return stream
    }

    /// Calls `observer` with each notification on one of the channels, until the listener ends. It is
    /// called on the thread of the connection, so it must be quick.
    ///
    /// The first notification is ``PostgresNotification/reconnected``, whenever the listener begins to
    /// listen.
    ///
    /// - Precondition: The listener does not run yet.
    public func observe(_ channel: String, _ observer: @escaping Observer) {
        precondition(channels.contains(channel), "the listener was not made to listen on \(channel)")
        state.withLock { $0.observers[channel, default: []].append(observer) }
    }

    /// Sets the question of ``catchUp()``, which is an empty statement otherwise.
    ///
    /// - Precondition: The listener does not run yet.
    public func ask(_ question: Question) { state.withLock { $0.question = question } }

    /// Waits until the observers have got the notifications of all transactions that were committed before
    /// the call. Callers that wait at the same time share one question to the server.
    ///
    /// The server sends the notifications of a transaction to this session when the transaction commits,
    /// before the committing session hears that it has committed. It answers a statement of this session
    /// after them.
    ///
    /// - Returns: `false` if the listener does not listen, or loses its connection. Notifications may be
    ///   missing then.
    public func catchUp() async -> Bool {
        await withCheckedContinuation { continuation in
            let (isListening, pause) = state.withLock { state -> (Bool, Suspension?) in
                guard state.isListening else { return (false, nil) }
                state.waiting.append(continuation)
                return (true, exchange(&state.pause, with: nil))
            }
            pause?.wake(.ready)
            if !isListening { continuation.resume(returning: false) }
        }
    }

    /// Listens until the graceful shutdown or the cancellation of the task, then ends the streams.
    public func run() async throws {
        defer { finish() }
        do {
            try await cancelWhenGracefulShutdown { try await self.listenForEver() }
        } catch is CancellationError {
            return
        }
    }

    @PostgresThread private func listenForEver() async throws {
        var failures = 0
        while true {
            do {
                let connection = try await PostgresConnection(configuration)
                defer { connection.close() }
                try await listen(connection) { failures = 0 }
            } catch let error as PostgresError {
                failures += 1
                let delay = backoff.pause(after: failures)
                logger.warning("PostgreSQL listener will connect again", metadata: ["error": "\(error)", "delay": "\(delay)"])
                if await Suspension().wait(until: .now + delay) == .cancelled { throw CancellationError() }
            }
        }
    }

    @PostgresThread private func listen(_ connection: PostgresConnection, whenListening: () -> Void) async throws -> Never {
        // The lock is shared, because PostgreSQL may not yet know that an earlier connection is lost.
        if let lock { try await connection.simple("SELECT pg_advisory_lock_shared(\(lock))") }
        for channel in channels { try await connection.simple("LISTEN \(SQL.quoted(identifier: channel))") }
        let question = state.withLock(\.question)
        if let question { try await connection.simple(question.preparation) }
        whenListening()
        // Observers come first. They have forgotten what they know when the first caller of `catchUp` waits.
        for observer in state.withLock({ $0.observers.values.flatMap(\.self) }) { observer(.reconnected) }
        // Readers are notified outside the lock to avoid a deadlock. A reader that is canceled at this moment
        // holds a lock of its task, and waits for our lock to leave the list. To notify the reader, we need
        // the lock of its task.
        let readers = state.withLock { state in
            state.isListening = true
            return state.readers.values.flatMap(\.values)
        }
        for reader in readers { reader.continuation.yield(.reconnected) }
        logger.debug("PostgreSQL listener listens", metadata: ["channels": "\(channels)"])
        // The callers of `catchUp` whose question is on its way, and the time by which it must be answered.
        var asking: [CheckedContinuation<Bool, Never>] = []
        var deadline: ContinuousClock.Instant?
        defer { for caller in asking + stopListening() { caller.resume(returning: false) } }
        while true {
            let pause = Suspension()
            if asking.isEmpty {
                asking = state.withLock { state in
                    if state.waiting.isEmpty { state.pause = pause }
                    return exchange(&state.waiting, with: [])
                }
                if !asking.isEmpty {
                    try connection.ask(question?.statement() ?? "")
                    deadline = .now + Self.patience
                }
            }
            let received = try await connection.receive(pause, before: deadline)
            for (channel, payload) in received.notifications { deliver(.notified(payload: payload), on: channel) }
            if received.isAnswer {
                question?.answer(received.texts)
                for caller in exchange(&asking, with: []) { caller.resume(returning: true) }
                deadline = nil
            }
        }
    }

    @PostgresThread private func deliver(_ notification: PostgresNotification, on channel: String) {
        let (observers, readers) = state.withLock { state in
            (state.observers[channel, default: []], Array(state.readers[channel, default: [:]].values))
        }
        for observer in observers { observer(notification) }
        for reader in readers where reader.isWanted(notification) { reader.continuation.yield(notification) }
    }

    /// Returns the callers of ``catchUp()`` that wait. Later callers do not wait any more.
    private func stopListening() -> [CheckedContinuation<Bool, Never>] {
        state.withLock { state in
            state.isListening = false
            state.pause = nil
            return exchange(&state.waiting, with: [])
        }
    }

    private func finish() {
        let readers = state.withLock { state in
            state.isOver = true
            return exchange(&state.readers, with: [:])
        }
        for reader in readers.values.flatMap(\.values) { reader.continuation.finish() }
    }
}
