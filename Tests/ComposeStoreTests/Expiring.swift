import ComposeTestKit
import Postgres

extension TestDatabase {
    /// Moves the end of all composes and results there are.
    /// - Parameter time: an expression.
    func setExpiry(to time: SQL) async throws {
        _ = try await pool.query("UPDATE composes SET time_to_expire = \(fragment: time) WHERE state <> 3")
        _ = try await pool.query("UPDATE results SET expires_at = \(fragment: time) WHERE retired_at IS NULL")
    }
}
