import Retries

/// The *looks* at something that changes are repeated until it is final. Each look finds events, and
/// the pauses between looks grow while nothing happens.
///
///     if let event = looks.next() { return event }
///     if looks.isFinished { return nil }
///     try await looks.pause(clock)
///     return looks.take(try await look(), orElse: .unchanged)
struct Looks<Event: Sendable>: Sendable {
    /// The result of one look.
    struct Look {
        var events: [Event]
        /// Whether no further look is needed.
        var isLast: Bool
        /// Whether a further look would find something at once.
        var hasMore: Bool
    }

    private(set) var isFinished = false
    private var looksWithoutNews = 0
    private var pauseIsDue = false
    private var events: ArraySlice<Event> = []

    /// Returns the next event of the last look.
    mutating func next() -> Event? { events.popFirst() }

    /// Waits until the next look is due.
    func pause(_ clock: any Clock<Duration>) async throws {
        if pauseIsDue { try await clock.sleep(for: Backoff.polling.pause(after: looksWithoutNews + 1)) }
    }

    /// Takes the result of a look, and returns its first event.
    ///
    /// - Parameter unchanged: The event of a look that finds none.
    mutating func take(_ look: Look, orElse unchanged: Event) -> Event? {
        looksWithoutNews = look.events.isEmpty ? looksWithoutNews + 1 : 0
        isFinished = look.isLast
        pauseIsDue = !look.hasMore
        events = look.events.isEmpty ? [unchanged] : look.events[...]
        return events.popFirst()
    }
}
