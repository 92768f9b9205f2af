import Synchronization

/// Work for PostgreSQL that several callers want at the same time, done for all of them at once.
///
/// Who comes while some is under way waits until that is over, and then goes together with all who wait by then. So nothing begins before it was
/// asked for: a read shows what was committed until then. Under load, statements and commits become fewer, and whoever comes alone waits
/// for nothing. Each key has a line of its own.
final class SharedWork<Key: Hashable & Sendable, Item: Sendable, Answer: Sendable>: Sendable {
    private enum Turn: Sendable {
        case answered(Result<Answer, any Error>)
        /// To do the work for itself and for the first of the others.
        case works
        case canceled
    }

    private struct Waiter: Sendable {
        let number: Int
        let item: Item
        let continuation: CheckedContinuation<Turn, Never>
    }

    private struct State {
        /// Who waits, while work is under way.
        var lines: [Key: [Waiter]] = [:]
        var arrivals = 0
    }

    private let state = Mutex(State())
    /// For how many the work is done at once.
    private let limit: Int

    init(atOnce limit: Int) {
        self.limit = limit
    }

    /// How many stand in line.
    func waiting(_ key: Key) -> Int { state.withLock { $0.lines[key, default: []].count } }

    /// Has the item worked at, and returns what came of it.
    ///
    /// - Parameter work: Works at several items, and returns an answer for each in their order. One caller's is run for all of them. A
    ///   `CancellationError` of its says that nothing was done.
    /// - Throws: What the work throws; `CancellationError` when the caller is cancelled, which the others do not notice.
    func answer(_ key: Key, _ item: Item, work: ([Item]) async throws -> [Result<Answer, any Error>]) async throws -> Answer {
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

    private func turn(_ key: Key, _ item: Item) async -> Turn {
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
                // Who is not in line any more is about to be answered.
                guard let place = state.lines[key]?.firstIndex(where: { $0.number == number }) else { return nil }
                return state.lines[key]?.remove(at: place)
            }
            canceled?.continuation.resume(returning: .canceled)
        }
    }

    /// Lets the first in line work next.
    ///
    /// - Parameter readmitted: those who come first, as nothing was done for them.
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
