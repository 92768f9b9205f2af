import Synchronization

/// Work for PostgreSQL that several callers want at the same time and that is done once for all of
/// them.
///
/// A caller that arrives while work is in progress waits until it ends. The next work is then done
/// together for all callers that wait by that time. No work begins before it was requested, so a read
/// shows everything that was committed before the request. Under load this saves statements and
/// commits. A caller that arrives alone does not wait. Each key has its own queue.
final class SharedWork<Key: Hashable & Sendable, Input: Sendable, Answer: Sendable>: Sendable {
    private enum Turn: Sendable {
        case answered(Result<Answer, any Error>)
        /// The caller does the work for itself and for the first of the others.
        case works
        case canceled
    }

    private struct Waiter: Sendable {
        let number: Int
        let item: Input
        let continuation: CheckedContinuation<Turn, Never>
    }

    private struct State {
        /// The waiting callers of each key. A key has an entry while work for it is in progress.
        var lines: [Key: [Waiter]] = [:]
        var arrivals = 0
    }

    private let state = Mutex(State())
    /// The maximum number of callers for which the work is done at once.
    private let limit: Int

    init(atOnce limit: Int) {
        self.limit = limit
    }

    /// Returns the number of callers that wait.
    func waiting(_ key: Key) -> Int { state.withLock { $0.lines[key, default: []].count } }

    /// Does the work for an item, alone or together with others, and returns its answer.
    ///
    /// - Parameter work: Does the work for several items and returns their answers in the same order. The
    ///   closure of one caller is run for all of them. A `CancellationError` that it throws means that
    ///   nothing was done.
    /// - Throws: The error of the work. Throws `CancellationError` if the caller is canceled, which does
    ///   not affect the others.
    func answer(_ key: Key, _ item: Input, work: ([Input]) async throws -> [Result<Answer, any Error>]) async throws -> Answer {
        switch await turn(key, item) {
        case .answered(let answer): return try answer.get()
        case .canceled: throw CancellationError()
        case .works: break
        }
        let others = state.withLock { state in
            let others = Array(state.lines[key, default: []].prefix(limit - 1))
            state.lines[key, default: []].removeFirst(others.count)
            return others
        }
        let answers: [Result<Answer, any Error>]
        do {
            answers = try await work([item] + others.map(\.item))
        } catch let error as CancellationError {
            passOn(key, readmitting: others)
            throw error
        } catch {
            passOn(key)
            for other in others { other.continuation.resume(returning: .answered(.failure(error))) }
            throw error
        }
        passOn(key)
        for (other, answer) in zip(others, answers.dropFirst()) { other.continuation.resume(returning: .answered(answer)) }
        return try answers[0].get()
    }

    private func turn(_ key: Key, _ item: Input) async -> Turn {
        let number = state.withLock { state in
            state.arrivals += 1
            return state.arrivals
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let turn = state.withLock { state -> Turn? in
                    if Task.isCancelled { return .canceled }
                    guard state.lines[key] != nil else {
                        state.lines[key] = []
                        return .works
                    }
                    state.lines[key]?.append(Waiter(number: number, item: item, continuation: continuation))
                    return nil
                }
                if let turn { continuation.resume(returning: turn) }
            }
        } onCancel: {
            let canceled = state.withLock { state -> Waiter? in
                // A caller that is no longer in the queue is about to be answered.
                guard let place = state.lines[key]?.firstIndex(where: { $0.number == number }) else { return nil }
                return state.lines[key]?.remove(at: place)
            }
            canceled?.continuation.resume(returning: .canceled)
        }
    }

    /// Lets the first caller in the queue do the next work.
    ///
    /// - Parameter readmitted: Callers that return to the front of the queue, because nothing was done for
    ///   them.
    private func passOn(_ key: Key, readmitting readmitted: [Waiter] = []) {
        let next = state.withLock { state -> Waiter? in
            var line = readmitted + state.lines[key, default: []]
            guard !line.isEmpty else {
                state.lines[key] = nil
                return nil
            }
            let next = line.removeFirst()
            state.lines[key] = line
            return next
        }
        next?.continuation.resume(returning: .works)
    }
}
