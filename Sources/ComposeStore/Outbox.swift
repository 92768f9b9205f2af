public import ComposeModel
import Foundation
import Postgres

/// One transition of one compose, as it is told to others.
public struct StateChange: Sendable {
    /// Grows with every transition of the same compose.
    public let id: Int
    /// The compose as it was right after the transition.
    public let compose: Compose
}

extension ComposeStore {
    /// Hands the oldest transitions that were not published to `deliver`, in order per compose, and records those that it delivered.
    ///
    /// One caller at a time publishes; others get 0 at once. A transition is delivered at least once: again if recording it fails.
    ///
    /// - Parameter deliver: Returns how many of the transitions were delivered, from the first on.
    /// - Returns: How many were delivered.
    public func publish(limit: Int, deliver: @Sendable ([StateChange]) async -> Int) async throws -> Int {
        try await pool.withTransaction { connection in
            let turn = try await connection.query(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' publisher', 0)) AS mine")
            guard try turn[turn.startIndex].decode(Bool.self, "mine") else { return 0 }
            let changes = try await connection.query(
                """
                SELECT e.id AS event_id, \(fragment: Compose.columns)
                FROM (SELECT * FROM events WHERE published_at IS NULL ORDER BY id LIMIT \(limit)) e,
                    jsonb_populate_record(NULL::composes, e.compose) c
                ORDER BY e.id
                """
            ).map { StateChange(id: try $0.decode(Int.self, "event_id"), compose: try Compose($0)) }
            guard !changes.isEmpty else { return 0 }
            let delivered = await deliver(changes)
            _ = try await connection.query(
                "UPDATE events SET published_at = now() WHERE id = ANY(\(changes.prefix(delivered).map(\.id)))")
            return delivered
        }
    }

    /// Forgets transitions published longer ago than `age`.
    public func pruneEvents(olderThan age: Duration) async throws {
        _ = try await pool.query("DELETE FROM events WHERE published_at < now() - \(fragment: interval(age))")
    }
}
