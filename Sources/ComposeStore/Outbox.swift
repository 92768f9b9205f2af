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
    /// One caller at a time publishes; others get 0 at once. A caller that stops in the middle is followed by another one when its turn is over.
    /// No transaction is open while `deliver` runs. A transition is delivered at least once: again if recording it fails.
    ///
    /// - Parameters:
    ///   - length: How long a turn lasts unless it is renewed. It is renewed before a delivery when half of it is over.
    ///   - deliver: Returns whether the transition was delivered; after one that was not there is no other.
    /// - Returns: How many were delivered.
    public func publish(
        limit: Int, turn length: Duration = .seconds(20), deliver: @Sendable (StateChange) async -> Bool
    ) async throws -> Int {
        let token = UUID()
        var begun = ContinuousClock.now
        guard try await takeTurn(token, for: length) else { return 0 }
        var delivered: [Int] = []
        do {
            for change in try await unpublished(limit: limit) {
                if ContinuousClock.now - begun > length / 2 {
                    begun = .now
                    guard try await keepTurn(token, for: length) else { break }
                }
                guard await deliver(change) else { break }
                delivered.append(change.id)
            }
        } catch {
            try await endTurn(token, delivered)
            throw error
        }
        try await endTurn(token, delivered)
        return delivered.count
    }

    /// Also of a task that was cancelled: what was delivered is recorded, and the next caller need not wait until the turn is over.
    private func endTurn(_ token: UUID, _ delivered: [Int]) async throws {
        try await Task {
            _ = try await pool.query(
                """
                WITH over AS (DELETE FROM turns WHERE work = 'publisher' AND token = \(token))
                UPDATE events SET published_at = now() WHERE id = ANY(\(delivered))
                """)
        }.value
    }

    /// False where another caller has the turn, or where there is nothing to publish.
    private func takeTurn(_ token: UUID, for length: Duration) async throws -> Bool {
        try await pool.query(
            """
            INSERT INTO turns AS t (work, token, expires_at)
            SELECT 'publisher', \(token), now() + \(fragment: interval(length)) WHERE EXISTS (SELECT FROM events WHERE published_at IS NULL)
            ON CONFLICT (work) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at WHERE t.expires_at < now()
            """
        ).affectedRows == 1
    }

    /// False where it is another caller's turn by now.
    private func keepTurn(_ token: UUID, for length: Duration) async throws -> Bool {
        try await pool.query(
            """
            UPDATE turns SET expires_at = now() + \(fragment: interval(length)) WHERE work = 'publisher' AND token = \(token)
            """
        ).affectedRows == 1
    }

    private func unpublished(limit: Int) async throws -> [StateChange] {
        try await pool.query(
            """
            SELECT e.id AS event_id, \(fragment: Compose.columns)
            FROM (SELECT * FROM events WHERE published_at IS NULL ORDER BY id LIMIT \(limit)) e,
                jsonb_populate_record(NULL::composes, e.compose) c
            ORDER BY e.id
            """
        ).map { StateChange(id: try $0.decode(Int.self, "event_id"), compose: try Compose($0)) }
    }

    /// Forgets transitions published longer ago than `age`.
    public func pruneEvents(olderThan age: Duration) async throws {
        _ = try await pool.query("DELETE FROM events WHERE published_at < now() - \(fragment: interval(age))")
    }
}
