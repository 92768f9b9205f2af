import Postgres

extension ComposeStore {
    /// Returns whether the database has the tables that this program needs. A newer program may have
    /// migrated it already.
    ///
    /// - Throws: `PostgresError`, also if the database does not answer.
    public func hasSchema() async throws -> Bool {
        let rows = try await pool.query("SELECT max(version) AS version FROM schema_version")
        return try rows.first?.decode(Int?.self, "version").map { $0 >= Schema.version } ?? false
    }
}
