import ComposeModel
import Foundation
import Postgres

extension ComposeStore {
    /// Records that packages of a compose have none of the wanted signatures.
    ///
    /// The compose returns to the queue if its request waits for signatures and that time is not over.
    /// Otherwise it fails. A compose that had joined it returns to the queue if its own request waits for
    /// signatures, and fails otherwise.
    ///
    /// From then on the pins of a waiting compose hold: later attempts use the same packages and only check
    /// their signatures again. No failure is counted.
    ///
    /// - Parameter delay: The time until the next check of the signatures.
    func lacksSignatures(
        _ lease: ComposeLease, _ failure: ComposeFailure, lookingAgainAfter delay: Duration, on connection: PostgresConnection
    ) async throws -> FailureOutcome {
        let id = lease.compose.id
        let waiting = try await connection.query(
            """
            UPDATE composes c SET state = 0, is_pinned = true, unsigned_since = coalesce(c.unsigned_since, now()),
                state_reason = 'Waits for signatures until ' || to_char(w.deadline AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') || ': '
                    || \(failure.message),
                available_at = least(now() + \(fragment: interval(delay)), w.deadline),
                joined_to = NULL, lease_token = NULL, lease_expires_at = NULL
            FROM (
                SELECT id, coalesce(unsigned_since, now()) + make_interval(secs => (request->>'unsignedWaitSeconds')::float8) AS deadline
                FROM composes WHERE state = 1 AND (id = \(id) OR joined_to = \(id)) AND request->>'unsignedWaitSeconds' IS NOT NULL
            ) w
            WHERE c.id = w.id AND (c.id <> \(id) OR w.deadline > now())
            RETURNING c.id, w.deadline
            """)
        for row in waiting where try row.decode(Int.self, "id") == id {
            // This ends only the composes that had joined it and do not wait.
            try await end(id, with: failure, reason: failure.message, on: connection)
            try await close(lease, as: "unsigned", on: connection)
            return .awaitsSignatures(until: try row.decode(Date.self, "deadline"))
        }
        let waited =
            try await connection.query(
                "SELECT extract(epoch FROM now() - unsigned_since)::bigint AS seconds FROM composes WHERE id = \(id)"
            ).first?.decode(Int?.self, "seconds") ?? nil
        let patience = waited.map { " The compose has waited \($0) seconds for signatures." } ?? ""
        try await end(id, with: failure, reason: failure.message + patience, on: connection)
        try await close(lease, as: "failed", on: connection)
        return .failed
    }
}
