public import Postgres

extension ComposeStore {
    /// The maximum number of events that get their positions in one transaction.
    private static let mostNumbered = 1000

    /// Gives positions to all committed events that have none, and notifies for them.
    ///
    /// Any process may call this at any time. The transactions follow each other, so a reader that knows
    /// all events up to a position misses none that gets a later position.
    ///
    /// - Returns: The number of events.
    @discardableResult
    public func sequenceEvents() async throws -> Int {
        var count = 0
        while true {
            let rows = try await pool.query("SELECT sequence_events(\(Self.mostNumbered)::integer) AS numbered")
            let numbered = try rows.first?.decode(Int.self, "numbered") ?? 0
            count += numbered
            if numbered < Self.mostNumbered { return count }
        }
    }

    /// Returns an element whenever a write of this store may have stored events.
    public func eventReports() -> AsyncStream<Void> { newEvents.reports() }

    /// Deletes events that were published longer ago than `age`, and the dead letters of that age. An event
    /// that is a dead letter stays as long as the letter.
    public func pruneEvents(olderThan age: Duration) async throws {
        _ = try await deleteRows(of: "dead_letters", by: "died_at", olderThan: age)
        let most = 10_000
        while true {
            let rows = try await pool.query(
                """
                WITH deleted AS (
                    DELETE FROM events WHERE ctid = ANY(ARRAY(
                        SELECT ctid FROM events e WHERE published_at < now() - \(fragment: interval(age))
                            AND NOT EXISTS (SELECT FROM dead_letters d WHERE d.event_id = e.id) LIMIT \(most)
                    )) RETURNING position
                ), remembered AS (
                    UPDATE event_clock SET deleted_to = greatest(deleted_to, (SELECT max(position) FROM deleted))
                    WHERE EXISTS (SELECT FROM deleted)
                )
                SELECT count(*) AS deleted FROM deleted
                """)
            if try rows.first?.decode(Int.self, "deleted") ?? 0 < most { return }
        }
    }
}

extension PostgresNotification {
    /// Whether events may have got positions. Example: `events 57`.
    public var mayBringEvents: Bool {
        guard case .notified(let payload) = self else { return true }
        return payload.hasPrefix("events ")
    }
}
