import Synchronization

/// *Turns* let tasks work at the same thing one after the other. So a task that waited finds what the
/// task before it has made, and need not make it again.
final class Turns: Sendable {
    /// The tasks that wait, by the name of the thing that another task works at.
    private let waiting = Mutex<[String: [AsyncStream<Void>.Continuation]]>([:])

    /// Runs `body` when no other task works at the thing.
    ///
    /// - Throws: `CancellationError` if the task is canceled while it waits.
    func at<Value>(_ thing: String, _ body: () async throws -> Value) async throws -> Value {
        while let end = take(thing) {
            for await _ in end {}
            try Task.checkCancellation()
        }
        defer { leave(thing) }
        return try await body()
    }

    /// Takes the turn. If another task has it, a stream is returned that ends with that task's turn.
    private func take(_ thing: String) -> AsyncStream<Void>? {
        waiting.withLock { waiting in
            guard waiting[thing] != nil else {
                waiting[thing] = []
                return nil
            }
            let (end, continuation) = AsyncStream.makeStream(of: Void.self)
            waiting[thing]?.append(continuation)
            return end
        }
    }

    private func leave(_ thing: String) {
        for other in waiting.withLock({ $0.removeValue(forKey: thing) }) ?? [] { other.finish() }
    }
}
