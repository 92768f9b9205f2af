/// Lets a few tests at a time have something of which there is only so much; the others wait, first come, first served.
actor Turns {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    /// Whether the task is at something that has its turn already: what it starts there must not wait for another.
    @TaskLocal private static var isTaken = false

    init(_ count: Int) {
        free = count
    }

    /// Runs `body` when it is its turn.
    nonisolated func take<R>(_ body: () async throws -> R) async throws -> R {
        if Self.isTaken { return try await body() }
        await begin()
        let outcome: Result<R, any Error>
        do { outcome = .success(try await Self.$isTaken.withValue(true, operation: body)) } catch { outcome = .failure(error) }
        await end()
        return try outcome.get()
    }

    private func begin() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func end() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}
