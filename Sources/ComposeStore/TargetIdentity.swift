public import Foundation
import Postgres

// The ids of target directories, by the names that requests give them.
extension ComposeStore {
    /// `nil` where nobody has said one.
    public func identity(ofTarget name: String) async throws -> UUID? {
        try await pool.query("SELECT id FROM target_directories WHERE name = \(name)").first?.decode(UUID.self, "id")
    }

    /// The id of the target directory with that name; `id` where nobody has said one before, which is kept then.
    public func identity(ofTarget name: String, orElse id: UUID) async throws -> UUID {
        _ = try await pool.query(
            "INSERT INTO target_directories (name, id) VALUES (\(name), \(id)) ON CONFLICT (name) DO NOTHING")
        return try await identity(ofTarget: name) ?? id
    }

    /// Says that another directory is the target directory with that name from now on.
    public func setIdentity(ofTarget name: String, _ id: UUID) async throws {
        _ = try await pool.query(
            "INSERT INTO target_directories (name, id) VALUES (\(name), \(id)) ON CONFLICT (name) DO UPDATE SET id = excluded.id")
    }
}
