import Retries

/// A tool that brings a database to the schema that the program was written for.
///
/// In an empty database, it runs the statements of the whole schema at once. In an older database, it
/// runs the missing migrations. It works in one transaction under a lock, so if several programs start
/// together, only one of them migrates.
public struct Migrator: Sendable {
    /// A table with one row for each version that the database has reached.
    static let versionTable = "schema_version"

    private let pool: PostgresPool
    private let schema: String
    private let migrations: [Migration]

    /// - Parameters:
    ///   - schema: Statements that create the newest version in an empty database.
    ///   - migrations: The steps from version 1 to the newest, in order.
    public init(pool: PostgresPool, schema: String, migrations: [Migration]) {
        self.pool = pool
        self.schema = schema
        self.migrations = migrations
    }

    /// The version that the program was written for.
    public var version: Int { migrations.last?.number ?? 1 }

    /// Migrates the database.
    ///
    /// - Throws: ``MigrationError`` when the database cannot be migrated, ``PostgresError`` when a
    ///   statement fails. In both cases the database is left unchanged.
    public func migrate() async throws -> MigrationOutcome {
        guard migrations.map(\.number) == Array(2..<(migrations.count + 2)) else {
            throw MigrationError.misnumbered(migrations.map(\.number))
        }
        // Programs of an older version work meanwhile, and can lock the tables in another order.
        return try await retrying(canceled: CancellationError() as any Error) { error, attempt in
            let isConflict = (error as? PostgresError)?.code == .serialization
            return isConflict && attempt < Self.attempts ? Self.pauses.pause(after: attempt) : nil
        } operation: {
            try await migrateOnce()
        }
    }

    /// The number of times that a migration is begun. Each but the last ended in a deadlock.
    private static let attempts = 20
    private static let pauses = Backoff(first: .milliseconds(100), longest: .seconds(2))

    private func migrateOnce() async throws -> MigrationOutcome {
        try await pool.withTransaction { connection in
            // There is no limit on the time for a migration, nor on the wait for another program's migration.
            try await connection.simple(
                "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
            let name = try await lockSchema(connection)
            guard let found = try await versionFound(connection, schema: name) else {
                try await create(connection)
                return .created(version: version)
            }
            guard found <= version else { throw MigrationError.databaseIsNewer(database: found, server: version) }
            guard found < version else { return .current }
            try await upgrade(connection, from: found)
            return .upgraded(from: found, to: version)
        }
    }

    /// Takes the lock until the end of the transaction, and creates the schema if it is missing. Returns
    /// the name of the current schema.
    private func lockSchema(_ connection: PostgresConnection) async throws -> String {
        let configured = pool.configuration.schema
        let lock = "migrate \(configured ?? "")"
        _ = try await connection.query("SELECT pg_advisory_xact_lock(hashtextextended(\(lock), 0))")
        if let configured {
            // Not CREATE … IF NOT EXISTS, which requires the right to create even if the schema exists.
            let rows = try await connection.query("SELECT 1 FROM pg_namespace WHERE nspname = \(configured)")
            if rows.isEmpty { try await connection.simple("CREATE SCHEMA \(SQL.quoted(identifier: configured))") }
        }
        return try await connection.query("SELECT current_schema()::text AS name").first?.decode("name") ?? ""
    }

    /// Returns the version of the database, or nil when the schema has no tables.
    ///
    /// - Throws: ``MigrationError/unknownTables(schema:)`` when there are tables without a recorded
    ///   version.
    private func versionFound(_ connection: PostgresConnection, schema: String) async throws -> Int? {
        let tables = try await connection.query("SELECT tablename::text AS name FROM pg_tables WHERE schemaname = \(schema)")
            .map { try $0.decode(String.self, "name") }
        if tables.isEmpty { return nil }
        guard tables.contains(Self.versionTable) else { throw MigrationError.unknownTables(schema: schema) }
        let newest = try await connection.query("SELECT max(version) AS version FROM \(unsafe: Self.versionTable)")
        guard let version = try newest.first?.decode(Int?.self, "version") else { throw MigrationError.unknownTables(schema: schema) }
        return version
    }

    private func create(_ connection: PostgresConnection) async throws {
        try await connection.simple(
            """
            CREATE TABLE \(Self.versionTable) (
                version integer PRIMARY KEY,
                name text NOT NULL,
                reached_at timestamptz NOT NULL DEFAULT now()
            )
            """)
        try await connection.simple(schema)
        try await record(connection, version: version, name: "schema")
    }

    private func upgrade(_ connection: PostgresConnection, from found: Int) async throws {
        for migration in migrations where migration.number > found {
            try await connection.simple(migration.sql)
            try await record(connection, version: migration.number, name: migration.name)
        }
    }

    private func record(_ connection: PostgresConnection, version: Int, name: String) async throws {
        _ = try await connection.query("INSERT INTO \(unsafe: Self.versionTable) (version, name) VALUES (\(version), \(name))")
    }
}
