/// Brings a database to the schema that the program was written for: an empty one by the whole schema at once, an older one by the
/// migrations that it lacks. It does so in one transaction under a lock, so that programs that start together do it once.
public struct Migrator: Sendable {
    /// Holds one row for each version that the database was brought to.
    static let versionTable = "schema_version"

    private let pool: PostgresPool
    private let schema: String
    private let migrations: [Migration]

    /// - Parameters:
    ///   - schema: statements that make the newest version in an empty database.
    ///   - migrations: the steps from version 1 to the newest, in order.
    public init(pool: PostgresPool, schema: String, migrations: [Migration]) {
        self.pool = pool
        self.schema = schema
        self.migrations = migrations
    }

    /// The version that the program was written for.
    public var version: Int { migrations.last?.number ?? 1 }

    /// - Throws: ``MigrationError`` when the database is not one to be migrated, ``PostgresError`` when a statement fails; either
    ///   way it is left as it was.
    public func migrate() async throws -> MigrationOutcome {
        guard migrations.map(\.number) == Array(2..<(migrations.count + 2)) else {
            throw MigrationError.misnumbered(migrations.map(\.number))
        }
        return try await pool.withTransaction { connection in
            // A migration takes as long as it takes, and so does waiting for another program's.
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

    /// Takes the lock until the end of the transaction, and sees to it that the schema is there.
    private func lockSchema(_ connection: PostgresConnection) async throws -> String {
        let configured = pool.configuration.schema
        let lock = "migrate \(configured ?? "")"
        _ = try await connection.query("SELECT pg_advisory_xact_lock(hashtextextended(\(lock), 0))")
        if let configured {
            // Not CREATE … IF NOT EXISTS, which asks for the right to create even where there is nothing to create.
            let rows = try await connection.query("SELECT 1 FROM pg_namespace WHERE nspname = \(configured)")
            if rows.isEmpty { try await connection.simple("CREATE SCHEMA \(SQL.quoted(identifier: configured))") }
        }
        return try await connection.query("SELECT current_schema()::text AS name").first?.decode("name") ?? ""
    }

    /// Nil in an empty schema.
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
