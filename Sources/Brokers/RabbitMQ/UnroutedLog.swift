import Logging
import Synchronization

/// The log of messages that no queue gets. It writes at most one line a minute.
final class UnroutedLog: Sendable {
    private struct State {
        var count = 0
        var lastLine: ContinuousClock.Instant?
    }

    private static let pause = Duration.seconds(60)

    private let name: String
    private let topic: String
    private let logger: Logger
    private let state = Mutex(State())

    init(_ name: String, topic: String, logger: Logger) {
        self.name = name
        self.topic = topic
        self.logger = logger
    }

    /// Records messages that the broker returned.
    func note(_ count: Int) {
        let due = state.withLock { state -> Int? in
            state.count += count
            if let last = state.lastLine, ContinuousClock.now - last < Self.pause { return nil }
            state.lastLine = .now
            defer { state.count = 0 }
            return state.count
        }
        guard let due else { return }
        logger.warning(
            "no queue of the broker gets these messages", metadata: ["subscriber": "\(name)", "topic": "\(topic)", "messages": "\(due)"])
    }
}
