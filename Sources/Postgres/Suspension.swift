import Synchronization

/// One pause of one task on the PostgreSQL thread, ended once: by a socket, a deadline, the task's cancellation, or by ``wake(_:)``.
final class Suspension: Sendable {
    /// What ended a suspension.
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

    /// Ends the wait, also one that has not begun yet, from any thread. False: something else had ended it before.
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

    /// Waits until woken by hand, by `deadline`, or by the cancellation of the task.
    @PostgresThread func wait(until deadline: ContinuousClock.Instant? = nil) async -> Wakeup {
        await withTaskCancellationHandler {
            await wait(socket: nil, writable: false, deadline: deadline)
        } onCancel: {
            wake(.cancelled)
        }
    }

    /// Waits until `socket` can be read, or also written.
    ///
    /// - Parameter heedingCancellation: false for what must be done even so, as a rollback.
    @PostgresThread static func wait(
        for socket: Int32, writable: Bool, until deadline: ContinuousClock.Instant? = nil, heedingCancellation: Bool = true
    ) async -> Wakeup {
        let suspension = Suspension()
        return await withTaskCancellationHandler {
            await suspension.wait(socket: socket, writable: writable, deadline: deadline)
        } onCancel: {
            if heedingCancellation { suspension.wake(.cancelled) }
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
