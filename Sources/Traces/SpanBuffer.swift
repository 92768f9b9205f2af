import Synchronization

/// A span buffer holds the spans that wait for the sink. It is bounded: spans for which there is no
/// room are counted and dropped.
public final class SpanBuffer: Sendable {
    private struct State {
        var spans: [ExportedSpan] = []
        var dropped = 0
    }

    static let room = 2048

    private let state = Mutex(State())

    public init() {}

    /// The number of spans that were dropped since the start of the process.
    public var dropped: Int { state.withLock(\.dropped) }

    func add(_ span: ExportedSpan) {
        state.withLock { state in
            if state.spans.count < Self.room { state.spans.append(span) } else { state.dropped += 1 }
        }
    }

    /// Takes the oldest spans.
    func take(_ most: Int) -> [ExportedSpan] {
        state.withLock { state in
            let taken = Array(state.spans.prefix(most))
            state.spans.removeFirst(taken.count)
            return taken
        }
    }

    /// Puts spans back, in front of those that came meanwhile.
    func putBack(_ spans: [ExportedSpan]) {
        state.withLock { state in
            let kept = spans.suffix(max(0, Self.room - state.spans.count))
            state.dropped += spans.count - kept.count
            state.spans.insert(contentsOf: kept, at: 0)
        }
    }

    func drop(_ count: Int) { state.withLock { $0.dropped += count } }
}
