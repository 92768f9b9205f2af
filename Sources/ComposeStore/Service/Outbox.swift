public import ComposeModel
import Foundation
import Postgres

/// One transition of one compose, as it is published.
public struct StateChange: Sendable {
    /// The number of the transition. It grows with every transition of the same compose.
    public let id: Int
    /// The compose as it was right after the transition.
    public let compose: Compose
}

extension ComposeStore {
    /// Passes the oldest unpublished transitions to `deliver`, in order for each compose, and records the
    /// delivered ones.
    ///
    /// One caller publishes at a time. Others get 0 at once. If a caller stops in the middle, another
    /// caller can publish when the turn expires. No transaction is open while `deliver` runs. A transition
    /// is delivered at least once, and is delivered again if recording it fails.
    ///
    /// - Parameters:
    ///   - length: The length of a turn. The turn is renewed before a delivery if half of it is over.
    ///   - deliver: Returns whether the transition was delivered. After `false`, no further transition is
    ///     passed on.
    /// - Returns: The number of delivered transitions.
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

    /// Ends the turn and records the delivered transitions, even if the task was canceled. The next caller
    /// then need not wait until the turn expires.
    private func endTurn(_ token: UUID, _ delivered: [Int]) async throws {
        try await Task {
            _ = try await pool.query(
                """
                WITH over AS (DELETE FROM turns WHERE work = 'publisher' AND token = \(token))
                UPDATE events SET published_at = now() WHERE id = ANY(\(delivered))
                """)
        }.value
    }

    /// Returns `false` if another caller has the turn, or if there is nothing to publish.
    private func takeTurn(_ token: UUID, for length: Duration) async throws -> Bool {
        try await pool.query(
            """
            INSERT INTO turns AS t (work, token, expires_at)
            SELECT 'publisher', \(token), now() + \(fragment: interval(length)) WHERE EXISTS (SELECT FROM events WHERE published_at IS NULL)
            ON CONFLICT (work) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at WHERE t.expires_at < now()
            """
        ).affectedRows == 1
    }

    /// Returns `false` if another caller has the turn by now.
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

    /// Deletes transitions that were published longer ago than `age`.
    public func pruneEvents(olderThan age: Duration) async throws {
        _ = try await pool.query("DELETE FROM events WHERE published_at < now() - \(fragment: interval(age))")
    }
}
