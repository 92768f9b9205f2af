public import Foundation
import Postgres

// Questions about files that were found on disk.
extension ComposeStore {
    /// Returns those of the tokens whose attempt is still open, or whose question is still being answered.
    /// The files that others left on disk belong to no worker.
    public func openAttempts(among tokens: [UUID]) async throws -> Set<UUID> {
        let rows = try await pool.query(
            """
            SELECT lease_token FROM attempts WHERE lease_token = ANY(\(tokens.map(\.uuidString))::uuid[]) AND ended_at IS NULL
            UNION ALL
            SELECT lease_token FROM questions
            WHERE lease_token = ANY(\(tokens.map(\.uuidString))::uuid[]) AND lease_expires_at > now() AND answer IS NULL
            """)
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
