/// *Queue positions* for many requests, for example of clients that wait for the same compose. Each
/// position is kept for a second. Requests that arrive while it is looked up share the answer.
public final class QueuePositions: Sendable {
    private let store: ComposeStore
    private let looks = SharedWork<Int, Void, QueuePosition?>(atOnce: .max)
    private let recent = RecentValues<Int, QueuePosition>()

    public init(store: ComposeStore) {
        self.store = store
    }

    /// Returns the position that a waiting compose has, or had a moment ago, and the time until which it
    /// is kept. Returns `nil` if the compose does not wait.
    public func position(of id: Int) async throws -> (position: QueuePosition, end: ContinuousClock.Instant)? {
        if let entry = recent.entry(id) { return (entry.value, entry.end) }
        let begin = ContinuousClock.now
        let position = try await looks.answer(id, ()) { requests in
            let position = try await store.queuePosition(of: id)
            return requests.map { _ in .success(position) }
        }
        guard let position else { return nil }
        return (position, recent.keep(position, for: id, readAfter: begin))
    }
}
