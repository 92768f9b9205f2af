public import Logging
public import Retries
public import ServiceLifecycle
import Synchronization

/// A service that listens on channels, with one connection outside any pool. When the connection is
/// lost, it connects again, with longer delays after each failure.
///
/// Notifications are hints. A reader that is too slow loses the oldest ones.
public final class PostgresListener: Service {
    private typealias Continuation = AsyncStream<PostgresNotification>.Continuation

    private struct State {
        var readers: [String: [Int: Continuation]] = [:]
        var nextReader = 0
        var isListening = false
        var isOver = false
    }

    private let configuration: PostgresConfiguration
    private let channels: [String]
    private let backoff: Backoff
    private let logger: Logger
    private let state = Mutex(State())

    /// - Parameters:
    ///   - channels: The names of the channels.
    ///   - backoff: The delays before it connects again.
    public init(
        configuration: PostgresConfiguration, channels: [String],
        backoff: Backoff = Backoff(first: .milliseconds(100), longest: .seconds(15)), logger: Logger
    ) {
        self.configuration = configuration
        self.channels = channels
        self.backoff = backoff
        self.logger = logger
    }

    /// Returns the notifications on one of the channels, from now until the listener ends. Each call makes
    /// a stream of its own.
    ///
    /// The first element is ``PostgresNotification/reconnected``, as soon as the listener listens.
    public func notifications(on channel: String) -> AsyncStream<PostgresNotification> {
        precondition(channels.contains(channel), "the listener was not made to listen on \(channel)")
        let (stream, continuation) = AsyncStream.makeStream(of: PostgresNotification.self, bufferingPolicy: .bufferingNewest(256))
        let reader = state.withLock { state -> Int? in
            guard !state.isOver else { return nil }
            state.nextReader += 1
            state.readers[channel, default: [:]][state.nextReader] = continuation
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
                state.withLock { $0.isListening = false }
                failures += 1
                let delay = backoff.pause(after: failures)
                logger.warning("PostgreSQL listener will connect again", metadata: ["error": "\(error)", "delay": "\(delay)"])
                if await Suspension().wait(until: .now + delay) == .cancelled { throw CancellationError() }
            }
        }
    }

    @PostgresThread private func listen(_ connection: PostgresConnection, whenListening: () -> Void) async throws -> Never {
        for channel in channels { try await connection.simple("LISTEN \(SQL.quoted(identifier: channel))") }
        whenListening()
        // Readers are notified outside the lock to avoid a deadlock. A reader that is canceled at this moment
        // holds a lock of its task, and waits for our lock to leave the list. To notify the reader, we need
        // the lock of its task.
        let readers = state.withLock { state in
            state.isListening = true
            return state.readers.values.flatMap(\.values)
        }
        for reader in readers { reader.yield(.reconnected) }
        logger.debug("PostgreSQL listener listens", metadata: ["channels": "\(channels)"])
        while true {
            for (channel, payload) in try await connection.notifications() {
                let readers = state.withLock { Array($0.readers[channel, default: [:]].values) }
                for reader in readers { reader.yield(.notified(payload: payload)) }
            }
        }
    }

    private func finish() {
        let readers = state.withLock { state in
            state.isOver = true
            return exchange(&state.readers, with: [:])
        }
        for reader in readers.values.flatMap(\.values) { reader.finish() }
    }
}
