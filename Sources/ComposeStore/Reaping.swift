import ComposeModel
public import Foundation
import Postgres

/// A compose that was taken from a worker whose lease ran out.
public struct ReapedCompose: Hashable, Sendable {
    public let id: Int
    /// Whether the compose waits again. Otherwise it has failed, because its workers were lost too often.
    public let isRequeued: Bool
}

extension ComposeStore {
    /// Takes back every compose whose lease ran out. Any worker may call this at any time, but only one at
    /// a time does the work.
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

    /// Returns those of the tokens whose attempt is still open. The files that other attempts left on disk
    /// belong to no worker.
    public func openAttempts(among tokens: [UUID]) async throws -> Set<UUID> {
        let rows = try await pool.query(
            "SELECT lease_token FROM attempts WHERE lease_token = ANY(\(tokens.map(\.uuidString))::uuid[]) AND ended_at IS NULL")
        return Set(try rows.map { try $0.decode(UUID.self, "lease_token") })
    }

    /// Returns those of the composes that are removed. No log is kept for a removed compose.
    public func removedComposes(among ids: [Int]) async throws -> Set<Int> {
        let rows = try await pool.query("SELECT id FROM composes WHERE id = ANY(\(ids)) AND state = 3")
        return Set(try rows.map { try $0.decode(Int.self, "id") })
    }

    /// Returns those of the composes that have ended and have no result. If such a compose has a directory,
    /// the directory was published but never recorded.
    ///
    /// A compose that this database does not know is not returned, because its directory may belong to
    /// another service.
    public func composesWithoutResult(among ids: [Int]) async throws -> Set<Int> {
        let rows = try await pool.query(
            """
            SELECT c.id FROM composes c LEFT JOIN results r ON r.id = c.id AND r.deleted_at IS NULL
            WHERE c.id = ANY(\(ids)) AND c.state IN (2, 3, 4) AND r.id IS NULL
            """)
        return Set(try rows.map { try $0.decode(Int.self, "id") })
    }
}
