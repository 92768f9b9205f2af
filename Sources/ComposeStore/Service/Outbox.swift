public import ComposeModel
import Foundation
public import ImageModel
import Postgres

/// One transition of one compose, as it is published.
public struct StateChange: Sendable, Identifiable {
    /// The number of the transition. It grows with every transition of the same compose.
    public let id: Int
    /// The compose as it was right after the transition.
    public let compose: Compose
}

/// One transition of one build, as it is published.
public struct BuildChange: Sendable, Identifiable {
    /// The number of the transition. It grows with every transition of the same build.
    public let id: Int
    /// The build as it was right after the transition, with its steps as they are now.
    public let build: Build
}

/// The announcement that a token expires soon, as it is published.
public struct ExpiringToken: Sendable, Identifiable {
    public let id: Int
    /// The token when it was announced.
    public let token: APIToken
}

extension ComposeStore {
    /// Passes the oldest unpublished transitions of composes to `deliver`, in order for each compose, and
    /// records the delivered ones.
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
        try await publish(.composes, turn: length, read: { try await unpublished(limit: limit, turn: $0) }, deliver: deliver)
    }

    /// Passes the oldest unpublished transitions of builds to `deliver`, as
    /// ``publish(limit:turn:deliver:)`` does for composes.
    public func publishBuilds(
        limit: Int, turn length: Duration = .seconds(20), deliver: @Sendable (BuildChange) async -> Bool
    ) async throws -> Int {
        try await publish(.builds, turn: length, read: { try await unpublishedBuilds(limit: limit, turn: $0) }, deliver: deliver)
    }

    /// Passes the oldest unpublished announcements of tokens that expire soon to `deliver`, as
    /// ``publish(limit:turn:deliver:)`` does for the transitions of composes.
    public func publishTokens(
        limit: Int, turn length: Duration = .seconds(20), deliver: @Sendable (ExpiringToken) async -> Bool
    ) async throws -> Int {
        try await publish(.tokens, turn: length, read: { try await unpublishedTokens(limit: limit, turn: $0) }, deliver: deliver)
    }

    /// The events that one turn covers.
    private enum Kind: String {
        case composes = "publisher"
        case builds = "publisher of builds"
        case tokens = "publisher of tokens"

        var condition: SQL {
            switch self {
            case .composes: "published_at IS NULL AND compose_id IS NOT NULL"
            case .builds: "published_at IS NULL AND build_id IS NOT NULL"
            case .tokens: "published_at IS NULL AND token_id IS NOT NULL"
            }
        }
    }

    /// Passes on the events that `read` returns. The argument of `read` is a statement that takes a
    /// turn and returns a row if it was taken.
    private func publish<Change: Identifiable & Sendable>(
        _ kind: Kind, turn length: Duration, read: (SQL) async throws -> [Change], deliver: @Sendable (Change) async -> Bool
    ) async throws -> Int where Change.ID == Int {
        let token = UUID()
        var begun = ContinuousClock.now
        var delivered: [Int] = []
        do {
            let changes = try await read(takeTurn(kind, token, for: length))
            if changes.isEmpty { return 0 }
            for change in changes {
                if ContinuousClock.now - begun > length / 2 {
                    begun = .now
                    guard try await keepTurn(kind, token, for: length) else { break }
                }
                guard await deliver(change) else { break }
                delivered.append(change.id)
            }
        } catch {
            try await endTurn(kind, token, delivered)
            throw error
        }
        try await endTurn(kind, token, delivered)
        return delivered.count
    }

    /// Ends the turn and records the delivered transitions, even if the task was canceled. The next caller
    /// then need not wait until the turn expires.
    private func endTurn(_ kind: Kind, _ token: UUID, _ delivered: [Int]) async throws {
        try await Task {
            _ = try await pool.query(
                """
                WITH over AS (DELETE FROM turns WHERE work = \(kind.rawValue) AND token = \(token))
                UPDATE events SET published_at = now() WHERE id = ANY(\(delivered))
                """)
        }.value
    }

    /// Takes no turn if another caller has it, or if there is nothing to publish.
    private func takeTurn(_ kind: Kind, _ token: UUID, for length: Duration) -> SQL {
        """
        INSERT INTO turns AS t (work, token, expires_at)
        SELECT \(kind.rawValue), \(token), now() + \(fragment: interval(length))
        WHERE EXISTS (SELECT FROM events WHERE \(fragment: kind.condition))
        ON CONFLICT (work) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at WHERE t.expires_at < now()
        RETURNING t.work
        """
    }

    /// Returns `false` if another caller has the turn by now.
    private func keepTurn(_ kind: Kind, _ token: UUID, for length: Duration) async throws -> Bool {
        try await pool.query(
            """
            UPDATE turns SET expires_at = now() + \(fragment: interval(length)) WHERE work = \(kind.rawValue) AND token = \(token)
            """
        ).affectedRows == 1
    }

    private func unpublished(limit: Int, turn: SQL) async throws -> [StateChange] {
        try await pool.query(
            """
            WITH turn AS (\(fragment: turn))
            SELECT e.id AS event_id, \(fragment: Compose.columns)
            FROM (
                SELECT * FROM events WHERE EXISTS (SELECT FROM turn) AND \(fragment: Kind.composes.condition) ORDER BY id LIMIT \(limit)
            ) e, jsonb_populate_record(NULL::composes, e.compose) c
            ORDER BY e.id
            """
        ).map { StateChange(id: try $0.decode(Int.self, "event_id"), compose: try Compose($0)) }
    }

    private func unpublishedBuilds(limit: Int, turn: SQL) async throws -> [BuildChange] {
        try await pool.query(
            """
            WITH turn AS (\(fragment: turn))
            SELECT e.id AS event_id, \(fragment: Build.columns)
            FROM (
                SELECT * FROM events WHERE EXISTS (SELECT FROM turn) AND \(fragment: Kind.builds.condition) ORDER BY id LIMIT \(limit)
            ) e, jsonb_populate_record(NULL::builds, e.build) b
            ORDER BY e.id
            """
        ).map { BuildChange(id: try $0.decode(Int.self, "event_id"), build: try Build($0)) }
    }

    private func unpublishedTokens(limit: Int, turn: SQL) async throws -> [ExpiringToken] {
        try await pool.query(
            """
            WITH turn AS (\(fragment: turn))
            SELECT e.id AS event_id, \(fragment: APIToken.columns)
            FROM (
                SELECT * FROM events WHERE EXISTS (SELECT FROM turn) AND \(fragment: Kind.tokens.condition) ORDER BY id LIMIT \(limit)
            ) e, jsonb_populate_record(NULL::tokens, e.token) t
            ORDER BY e.id
            """
        ).map { ExpiringToken(id: try $0.decode(Int.self, "event_id"), token: try APIToken($0)) }
    }

    /// Deletes events that were published longer ago than `age`.
    public func pruneEvents(olderThan age: Duration) async throws {
        _ = try await deleteRows(of: "events", by: "published_at", olderThan: age)
    }
}
