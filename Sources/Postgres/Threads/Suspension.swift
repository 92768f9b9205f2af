import Synchronization

/// A pause of one task on the PostgreSQL thread. It ends once: by a socket, a deadline, the
/// cancellation of the task, or a call of ``wake(_:)``.
final class Suspension: Sendable {
    /// The reason why a suspension ended.
    enum Wakeup {
        case ready
        case deadline
        case cancelled
    }

    private enum State {
        case ahead
        case waiting(CheckedContinuation<Wakeup, Never>)
        case over(Wakeup)
    }

    private let state = Mutex(State.ahead)

    /// Ends the wait, even one that has not begun yet. It may be called from any thread. Returns false if
    /// the suspension had already ended.
    @discardableResult func wake(_ wakeup: Wakeup) -> Bool {
        let (first, waiting) = state.withLock { state -> (Bool, CheckedContinuation<Wakeup, Never>?) in
            switch state {
            case .ahead:
                state = .over(wakeup)
                return (true, nil)
            case .waiting(let continuation):
                state = .over(wakeup)
                return (true, continuation)
            case .over:
                return (false, nil)
            }
        }
        waiting?.resume(returning: wakeup)
        return first
    }

    /// Waits until ``wake(_:)`` is called, until `deadline`, or until the task is canceled.
    @PostgresThread func wait(until deadline: ContinuousClock.Instant? = nil) async -> Wakeup {
        await withTaskCancellationHandler {
            await wait(socket: nil, writable: false, deadline: deadline)
        } onCancel: {
            wake(.cancelled)
        }
    }

    /// Waits until `socket` can be read, or also written if `writable` is true. `deadline` and the
    /// cancellation of the task end the wait, too.
    ///
    /// - Parameter heedingCancellation: False for an operation that must be done even in a canceled task,
    ///   such as a rollback.
    @PostgresThread static func wait(
        for socket: Int32, writable: Bool, until deadline: ContinuousClock.Instant? = nil, heedingCancellation: Bool = true
    ) async -> Wakeup {
        await Suspension().wait(for: socket, writable: writable, until: deadline, heedingCancellation: heedingCancellation)
    }

    /// The same as the static function, for a wait that ``wake(_:)`` can end as well.
    @PostgresThread func wait(
        for socket: Int32, writable: Bool, until deadline: ContinuousClock.Instant? = nil, heedingCancellation: Bool = true
    ) async -> Wakeup {
        await withTaskCancellationHandler {
            await wait(socket: socket, writable: writable, deadline: deadline)
        } onCancel: {
            if heedingCancellation { wake(.cancelled) }
        }
    }

    @PostgresThread private func wait(socket: Int32?, writable: Bool, deadline: ContinuousClock.Instant?) async -> Wakeup {
        let loop = PostgresThread.loop
        if let socket { loop.wake(self, whenReady: socket, writable: writable) }
        if let deadline { loop.wake(self, at: deadline) }
        let wakeup = await withCheckedContinuation { continuation in
            let already = state.withLock { state -> Wakeup? in
                if case .over(let wakeup) = state { return wakeup }
                state = .waiting(continuation)
                return nil
            }
            if let already { continuation.resume(returning: already) }
        }
        loop.forget(self, socket: socket, deadline: deadline)
        return wakeup
    }
}
