import ComposeStore
import Synchronization

/// A work meter counts the events of one attempt and measures its phases, for the metrics of the
/// service.
final class WorkMeter: Sendable {
    private let collected = Mutex(WorkTally())

    var tally: WorkTally { collected.withLock(\.self) }

    func count(_ event: WorkTally.Event) {
        collected.withLock { $0.add(event) }
    }

    /// Runs a phase and records how long it took, whether it succeeds or not.
    func measure<Value>(_ phase: WorkTally.Phase, _ body: () async throws -> Value) async rethrows -> Value {
        let start = ContinuousClock.now
        defer {
            let duration = ContinuousClock.now - start
            collected.withLock { $0.add(phase, duration) }
        }
        return try await body()
    }
}
