import Dispatch
import Foundation

/// A slow call is a call of a library that looks up a name, for which there is no deadline. It runs on
/// a thread of its own, so that a resolver that does not answer holds up no broker.
final class SlowCall<Value>: @unchecked Sendable {  // the lock protects the outcome
    private enum Outcome {
        case none
        case ended(Value)
        /// The deadline has passed.
        case abandoned
    }

    private let lock = NSLock()
    private var outcome = Outcome.none
    private let end = DispatchSemaphore(value: 0)

    private init() {}

    /// Makes a call, and waits for its end until the deadline.
    ///
    /// - Parameter late: Gets the value of a call that ends after the deadline.
    /// - Returns: `nil` if the call has not ended. It goes on.
    static func value(
        until deadline: Deadline, late: @escaping @Sendable (Value) -> Void, _ call: @escaping @Sendable () -> Value
    ) -> Value? {
        let shared = SlowCall()
        Thread.detachNewThread {
            let value = call()
            if !shared.finish(with: value) { late(value) }
        }
        while let slice = deadline.slice {
            if shared.end.wait(timeout: .now() + .milliseconds(max(1, slice.milliseconds))) == .success { break }
        }
        return shared.take()
    }

    /// Records the value. Returns `false` if the deadline has passed.
    private func finish(with value: Value) -> Bool {
        lock.withLock {
            if case .abandoned = outcome { return false }
            outcome = .ended(value)
            end.signal()
            return true
        }
    }

    /// Returns the value, or abandons the call.
    private func take() -> Value? {
        lock.withLock {
            guard case .ended(let value) = outcome else {
                outcome = .abandoned
                return nil
            }
            return value
        }
    }
}
