/// Sleeps in a task that is usually canceled long before, such as the clock of a time limit.
///
/// A canceled `Task.sleep` keeps its timer and its task, some 700 bytes, until its time has come. A
/// worker with a limit of hours would collect those of all its attempts. This function sleeps in pieces
/// of a few seconds, so they are kept for a few seconds only.
///
/// - Throws: `CancellationError`.
public func longSleep(for duration: Duration) async throws {
    let end = ContinuousClock.now + duration
    while true {
        let rest = end - .now
        guard rest > .zero else { return }
        try await Task.sleep(for: min(rest, .seconds(5)))
    }
}
