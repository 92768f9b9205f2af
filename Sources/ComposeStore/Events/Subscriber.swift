public import Foundation
import Postgres

/// A subscriber is a receiver of events, with its cursor and the state of its deliveries.
public struct Subscriber: Sendable, Identifiable {
    public let id: Int
    /// The name in the configuration of the workers.
    public let name: String
    /// Every event up to this position was delivered, does not concern the subscriber, or is a dead letter.
    public let position: Int
    /// The number of events that follow the position.
    public let behind: Int
    /// The time for which the first of them has waited, in seconds. 0 if no event follows.
    public let lagSeconds: Double
    /// How many deliveries have failed in a row, and why the last one did.
    public let failures: Int
    public let problem: String?
    /// When the next delivery is made after a failed one.
    public let retryAt: Date?
    public let pausedAt: Date?
    public let deliveredAt: Date?
    /// Whether a worker has the subscriber in its configuration.
    public let isServed: Bool
    public let deadLetters: Int
}

/// A dead letter is an event that a subscriber did not take and does not get again by itself.
public struct DeadLetter: Sendable, Identifiable {
    public let id: Int
    /// The event. `nil` if events were deleted before the subscriber took them.
    public let event: StoredEvent?
    /// The number of events that were deleted.
    public let lost: Int?
    public let problem: String
    public let attempts: Int
    public let diedAt: Date
    /// When a person asked to send the event again.
    public let replayedAt: Date?
}

extension ComposeStore {
    /// The time after which a subscriber that no worker named no longer counts as served.
    private static let subscriberSilence = Duration.seconds(180)

    /// Records that a worker serves these subscribers. A new one begins with the next event. The first
    /// subscribers of a database begin with the first event that was never delivered.
    public func registerSubscribers(_ names: [String]) async throws {
        try await pool.withTransaction { connection in
            let known = try await connection.query("SELECT name FROM subscribers WHERE name = ANY(\(names))").count
            if known < names.count {
                // The lock on the clock prevents two workers from being the first.
                _ = try await connection.query(
                    """
                    WITH clock AS (SELECT coalesce(begins_at, position) AS position FROM event_clock FOR UPDATE)
                    INSERT INTO subscribers (name, position) SELECT n, c.position FROM unnest(\(names)) AS n, clock c
                    ON CONFLICT (name) DO NOTHING
                    """)
                _ = try await connection.query("UPDATE event_clock SET begins_at = NULL WHERE begins_at IS NOT NULL")
            }
            _ = try await connection.query(
                "UPDATE subscribers SET seen_at = now() WHERE name = ANY(\(names)) AND seen_at < now() - interval '30 seconds'")
        }
    }

    public func subscribers() async throws -> [Subscriber] {
        try await pool.query(
            """
            SELECT s.id, s.name, s.position, c.position - s.position AS behind, s.failures, s.problem, s.retry_at, s.paused_at,
                s.delivered_at, s.seen_at > now() - \(fragment: interval(Self.subscriberSilence)) AS is_served,
                coalesce(extract(epoch FROM now() - (
                    SELECT e.published_at FROM events e WHERE e.position > s.position ORDER BY e.position LIMIT 1
                )), 0)::float8 AS lag,
                (SELECT count(*) FROM dead_letters d WHERE d.subscriber_id = s.id) AS dead_letters
            FROM subscribers s, event_clock c ORDER BY s.id
            """
        ).map { row in
            Subscriber(
                id: try row.decode(Int.self, "id"), name: try row.decode(String.self, "name"),
                position: try row.decode(Int.self, "position"), behind: try row.decode(Int.self, "behind"),
                lagSeconds: max(0, try row.decode(Double.self, "lag")), failures: try row.decode(Int.self, "failures"),
                problem: try row.decode(String?.self, "problem"), retryAt: try row.decode(Date?.self, "retry_at"),
                pausedAt: try row.decode(Date?.self, "paused_at"), deliveredAt: try row.decode(Date?.self, "delivered_at"),
                isServed: try row.decode(Bool.self, "is_served"), deadLetters: try row.decode(Int.self, "dead_letters"))
        }
    }

    /// Returns the dead letters of a subscriber, the oldest first.
    public func deadLetters(of subscriber: Int, limit: Int = 100) async throws -> [DeadLetter] {
        let rows = try await pool.query(
            """
            SELECT id, event_id, lost, problem, attempts, died_at, replayed_at FROM dead_letters
            WHERE subscriber_id = \(subscriber) ORDER BY id LIMIT \(limit)
            """)
        let ids = try rows.compactMap { try $0.decode(Int?.self, "event_id") }
        let events = ids.isEmpty ? [] : try await events(where: "e.id = ANY(\(ids))", limit: ids.count)
        return try rows.map { row in
            let event = try row.decode(Int?.self, "event_id")
            return DeadLetter(
                id: try row.decode(Int.self, "id"), event: events.first { $0.id == event }, lost: try row.decode(Int?.self, "lost"),
                problem: try row.decode(String.self, "problem"), attempts: try row.decode(Int.self, "attempts"),
                diedAt: try row.decode(Date.self, "died_at"), replayedAt: try row.decode(Date?.self, "replayed_at"))
        }
    }

    /// Has the dead letters of a subscriber sent again, and ends its rest after failed deliveries.
    ///
    /// - Parameter position: Also the events that follow this position are sent again, as far as they are
    ///   not deleted. `nil` sends only dead letters.
    /// - Returns: The number of dead letters that are sent again. `nil` if there is no such subscriber.
    public func replay(_ subscriber: Int, after position: Int? = nil) async throws -> Int? {
        try await pool.withTransaction { connection in
            // The delivery that is under way loses its turn, so that it does not move the cursor.
            let rows = try await connection.query(
                """
                UPDATE subscribers SET
                    position = CASE
                        WHEN \(position)::bigint IS NULL THEN position
                        ELSE least(position, greatest(\(position), (SELECT deleted_to FROM event_clock)))
                    END,
                    ahead = CASE WHEN \(position)::bigint IS NULL THEN ahead ELSE '{}' END,
                    failures = 0, retry_at = NULL, failing_position = NULL, refusals = 0, lease_token = NULL, lease_expires_at = NULL
                WHERE id = \(subscriber)
                """)
            guard rows.affectedRows == 1 else { return nil }
            let letters = try await connection.query(
                """
                UPDATE dead_letters SET replayed_at = now()
                WHERE subscriber_id = \(subscriber) AND event_id IS NOT NULL AND replayed_at IS NULL
                """)
            _ = try await connection.query("SELECT pg_notify(current_schema(), 'events ' || position) FROM event_clock")
            return letters.affectedRows
        }
    }

    /// Pauses the deliveries to a subscriber, or resumes them.
    ///
    /// - Returns: `false` if there is no such subscriber.
    public func pause(_ subscriber: Int, _ isPaused: Bool) async throws -> Bool {
        let rows = try await pool.query(
            """
            WITH changed AS (
                UPDATE subscribers SET paused_at = CASE WHEN \(isPaused) THEN coalesce(paused_at, now()) END,
                    failures = 0, retry_at = NULL, refusals = 0
                WHERE id = \(subscriber) RETURNING id
            )
            SELECT id, pg_notify(current_schema(), 'events 0')::text AS woken FROM changed
            """)
        return !rows.isEmpty
    }

    /// Deletes a subscriber with its dead letters. A worker that has it in its configuration makes it anew.
    ///
    /// - Returns: `false` if there is no such subscriber.
    public func forgetSubscriber(_ subscriber: Int) async throws -> Bool {
        try await pool.query("DELETE FROM subscribers WHERE id = \(subscriber)").affectedRows == 1
    }
}
