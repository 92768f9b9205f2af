import ComposeModel
public import Foundation
import Postgres

/// A compose taken from a worker that was not heard of any more.
public struct ReapedCompose: Hashable, Sendable {
    public let id: Int
    /// Whether it waits again; else it has failed, having been lost too often.
    public let isRequeued: Bool
}

extension ComposeStore {
    /// Takes back every compose whose lease ran out. Any worker may call it at any time; one at a time does the work.
    public func reap(retries: RetryPolicy) async throws -> [ReapedCompose] {
        try await pool.withTransaction { connection in
            let turn = try await connection.query(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || ' reaper', 0)) AS mine")
            guard try turn[turn.startIndex].decode(Bool.self, "mine") else { return [] }
            let lost = try await connection.query(
                """
                SELECT id, failures FROM composes WHERE state = 1 AND lease_expires_at < now() ORDER BY id FOR UPDATE SKIP LOCKED
                """
            ).map { (id: try $0.decode(Int.self, "id"), failures: try $0.decode(Int.self, "failures")) }
            guard !lost.isEmpty else { return [] }

            let ids = lost.map(\.id)
            _ = try await connection.query(
                "UPDATE attempts SET ended_at = now(), outcome = 'lost' WHERE compose_id = ANY(\(ids)) AND ended_at IS NULL")
            let hopeless = lost.filter { $0.failures + 1 >= retries.attempts }.map(\.id)
            _ = try await connection.query(
                """
                UPDATE composes SET state = 0, failures = failures + 1, available_at = now(), lease_token = NULL, lease_expires_at = NULL,
                    state_reason = 'The worker that was at it was lost; it is tried again.'
                WHERE id = ANY(\(ids)) AND NOT id = ANY(\(hopeless))
                """)
            for id in hopeless {
                let failure = ComposeFailure(
                    .workerLost,
                    "The worker was lost each of the \(retries.attempts) times that this compose was tried; its log may say what it was at."
                )
                try await end(id, with: failure, reason: failure.message, on: connection)
            }
            return lost.map { ReapedCompose(id: $0.id, isRequeued: !hopeless.contains($0.id)) }
        }
    }

    /// Of these attempts' tokens, those whose attempt is still open: what the others left on disk is nobody's.
    public func openAttempts(among tokens: [UUID]) async throws -> Set<UUID> {
        let rows = try await pool.query(
            "SELECT lease_token FROM attempts WHERE lease_token = ANY(\(tokens.map(\.uuidString))::uuid[]) AND ended_at IS NULL")
        return Set(try rows.map { try $0.decode(UUID.self, "lease_token") })
    }

    /// Of these composes, those that are removed: no log of theirs is kept.
    public func removedComposes(among ids: [Int]) async throws -> Set<Int> {
        let rows = try await pool.query("SELECT id FROM composes WHERE id = ANY(\(ids)) AND state = 3")
        return Set(try rows.map { try $0.decode(Int.self, "id") })
    }

    /// Of these composes, those that are over and have no result: a directory with their name was published and never recorded.
    ///
    /// One that this database does not know is not among them: its directory may be another's.
    public func composesWithoutResult(among ids: [Int]) async throws -> Set<Int> {
        let rows = try await pool.query(
            """
            SELECT c.id FROM composes c LEFT JOIN results r ON r.id = c.id AND r.deleted_at IS NULL
            WHERE c.id = ANY(\(ids)) AND c.state IN (2, 3, 4) AND r.id IS NULL
            """)
        return Set(try rows.map { try $0.decode(Int.self, "id") })
    }
}
