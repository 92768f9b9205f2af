import Synchronization

/// A clock that stands still until somebody sleeps: a sleep takes no time, and tells the test, which can let something happen meanwhile.
public final class StepClock: Clock {
    public struct Instant: InstantProtocol {
        public var sinceStart: Duration = .zero

        public func advanced(by duration: Duration) -> Instant { Instant(sinceStart: sinceStart + duration) }
        public func duration(to other: Instant) -> Duration { other.sinceStart - sinceStart }
        public static func < (lhs: Instant, rhs: Instant) -> Bool { lhs.sinceStart < rhs.sinceStart }
    }

    private let state = Mutex((now: Instant(), sleeps: [Duration]()))
    private let onSleep: @Sendable (Int) async throws -> Void

    /// - Parameter onSleep: called during each sleep with its number, counted from 1.
    public init(onSleep: @escaping @Sendable (Int) async throws -> Void = { _ in }) {
        self.onSleep = onSleep
    }

    public var now: Instant { state.withLock { $0.now } }
    public var minimumResolution: Duration { .nanoseconds(1) }
    /// How long each sleep would have taken.
    public var sleeps: [Duration] { state.withLock { $0.sleeps } }

    public func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        let number = state.withLock { state in
            state.sleeps.append(state.now.duration(to: deadline))
            state.now = max(state.now, deadline)
            return state.sleeps.count
        }
        try await onSleep(number)
        try Task.checkCancellation()
    }
}

/// Waits until the task is cancelled, then throws `CancellationError`.
public func untilCancelled() async throws -> Never {
    let (stream, _) = AsyncStream.makeStream(of: Never.self)
    for await _ in stream {}
    throw CancellationError()
}
