import ComposeModel
import ComposeStore
import Foundation
import Synchronization
import Tracing

/// A work meter counts the events of one attempt and measures its phases, for the metrics of the
/// service.
final class WorkMeter: Sendable {
    private let collected = Mutex(WorkTally())

    var tally: WorkTally { collected.withLock(\.self) }

    func count(_ event: WorkTally.Event, times: Int = 1) {
        collected.withLock { $0.add(event, times: times) }
    }

    /// Records a time of a compose that began with its request.
    func add(_ time: WorkTally.Time, of compose: Compose) {
        let duration = Duration.seconds(max(0, Date.now.timeIntervalSince(compose.timeSubmitted)))
        collected.withLock { $0.add(WorkTally.ComposeTime(time, of: compose.request.sourceType), duration) }
    }

    /// Runs a phase and records how long it took, whether it succeeds or not. It is a span of the trace.
    func measure<Value>(_ phase: WorkTally.Phase, _ body: () async throws -> Value) async rethrows -> Value {
        let start = ContinuousClock.now
        defer {
            let duration = ContinuousClock.now - start
            collected.withLock { $0.add(phase, duration) }
        }
        return try await withSpan("compose.phase") { span in
            span.attributes["odcs.phase"] = phase.rawValue
            return try await body()
        }
    }
}
