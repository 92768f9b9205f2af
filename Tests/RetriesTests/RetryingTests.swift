import Retries
import Synchronization
import Testing

@Suite("Retrying")
struct RetryingTests {
    private enum Problem: Error, Equatable {
        case passing(Int)
        case lasting
        case canceled
    }

    /// A clock that sleeps for no time, and remembers how long it should have slept.
    private final class ImpatientClock: Clock {
        typealias Duration = Swift.Duration
        private let pauses = Mutex<[Duration]>([])
        var slept: [Duration] { pauses.withLock { $0 } }
        var now: ContinuousClock.Instant { .now }
        var minimumResolution: Duration { .zero }

        func sleep(until deadline: ContinuousClock.Instant, tolerance: Duration?) async throws {
            try Task.checkCancellation()
            pauses.withLock { $0.append(deadline - .now) }
        }
    }

    private func pause(_ problem: Problem, _ attempt: Int) -> Duration? {
        guard case .passing = problem, attempt < 3 else { return nil }
        return .seconds(attempt)
    }

    @Test("an operation is repeated until it succeeds")
    func success() async throws {
        let clock = ImpatientClock()
        var attempts = 0
        let result = try await retrying(clock: clock, canceled: Problem.canceled, pause: pause) { () async throws(Problem) in
            attempts += 1
            if attempts < 3 { throw .passing(attempts) }
            return "done"
        }
        #expect(result == "done")
        #expect(clock.slept.count == 2)
    }

    @Test("after the last attempt its error is thrown")
    func exhaustion() async throws {
        var attempts = 0
        let error = await #expect(throws: Problem.self) {
            try await retrying(clock: ImpatientClock(), canceled: Problem.canceled, pause: pause) { () async throws(Problem) in
                attempts += 1
                throw .passing(attempts)
            }
        }
        #expect(error == .passing(3))
    }

    @Test("a lasting error is thrown at once")
    func lasting() async throws {
        var attempts = 0
        let error = await #expect(throws: Problem.self) {
            try await retrying(clock: ImpatientClock(), canceled: Problem.canceled, pause: pause) { () async throws(Problem) in
                attempts += 1
                throw .lasting
            }
        }
        #expect(error == .lasting)
        #expect(attempts == 1)
    }

    @Test("in a canceled task the error is that of a cancellation", arguments: [true, false])
    func cancellation(isPassing: Bool) async throws {
        let task = Task {
            try await retrying(clock: ImpatientClock(), canceled: Problem.canceled, pause: pause) { () async throws(Problem) in
                withUnsafeCurrentTask { $0?.cancel() }
                throw isPassing ? .passing(1) : .lasting
            }
        }
        let error = await #expect(throws: Problem.self) { try await task.value }
        #expect(error == .canceled)
    }
}
