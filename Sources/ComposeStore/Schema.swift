public import Postgres

/// The database's schema as this version of the program has it.
public enum Schema {
    /// Brings the database up to this version: all of schema.sql for an empty one, else the files of migrations/ that it lacks.
    ///
    /// - Throws: `MigrationError`, one that says so when the database belongs to a newer version; `PostgresError`.
    public static func migrate(_ pool: PostgresPool) async throws -> MigrationOutcome {
        let schema = String(decoding: PackageResources.schema_sql, as: UTF8.self)
        return try await Migrator(pool: pool, schema: schema, migrations: []).migrate()
    }
}
