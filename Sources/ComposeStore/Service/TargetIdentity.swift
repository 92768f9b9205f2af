public import Foundation
import Postgres

// Target directories have ids, which are stored here by the names that requests use.
extension ComposeStore {
    /// Returns the id of the target directory with that name, or `nil` if none is stored.
    public func identity(ofTarget name: String) async throws -> UUID? {
        try await pool.query("SELECT id FROM target_directories WHERE name = \(name)").first?.decode(UUID.self, "id")
    }

    /// Returns the id of the target directory with that name. If none is stored, `id` is stored and
    /// returned.
    public func identity(ofTarget name: String, orElse id: UUID) async throws -> UUID {
        _ = try await pool.query(
            "INSERT INTO target_directories (name, id) VALUES (\(name), \(id)) ON CONFLICT (name) DO NOTHING")
        return try await identity(ofTarget: name) ?? id
    }

    /// Records the id of another directory, which is the target directory with that name from now on.
    public func setIdentity(ofTarget name: String, _ id: UUID) async throws {
        _ = try await pool.query(
            "INSERT INTO target_directories (name, id) VALUES (\(name), \(id)) ON CONFLICT (name) DO UPDATE SET id = excluded.id")
    }
}
