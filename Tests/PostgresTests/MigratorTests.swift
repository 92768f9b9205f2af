import Foundation
import Postgres
import Testing

@Suite(.timeLimit(.minutes(5)))
struct MigratorTests {
    private static let schema1 = "CREATE TABLE item (id bigint PRIMARY KEY);"
    private static let schema3 = "CREATE TABLE item (id bigint PRIMARY KEY, name text, size bigint);"
    private static let migrations = [
        Migration(number: 2, name: "names", sql: "ALTER TABLE item ADD COLUMN name text;"),
        Migration(number: 3, name: "sizes", sql: "ALTER TABLE item ADD COLUMN size bigint; UPDATE item SET size = 0;"),
    ]

    /// A pool whose schema is not there yet.
    private func pool() async throws -> PostgresPool { try await TestDatabase.pool { $0.schema = "new \(UUID())" } }

    private func versions(_ pool: PostgresPool) async throws -> [Int] {
        try await pool.query("SELECT version FROM schema_version ORDER BY version").map { try $0.decode("version") }
    }

    private func columns(_ pool: PostgresPool) async throws -> [String] {
        try await pool.query(
            "SELECT column_name::text AS name FROM information_schema.columns WHERE table_name = 'item' AND table_schema = current_schema() ORDER BY ordinal_position"
        )
        .map { try $0.decode("name") }
    }

    @Test("an empty database gets the newest schema at once")
    func emptyDatabaseGetsNewestSchemaAt() async throws {
        let pool = try await pool()
        let migrator = Migrator(pool: pool, schema: Self.schema3, migrations: Self.migrations)
        #expect(try await migrator.migrate() == .created(version: 3))
        #expect(try await migrator.migrate() == .current)
        #expect(try await versions(pool) == [3])
        #expect(try await columns(pool) == ["id", "name", "size"])
    }

    @Test("an older database gets the steps that it lacks, and keeps its rows")
    func olderDatabaseGetsStepsThatIt() async throws {
        let pool = try await pool()
        #expect(try await Migrator(pool: pool, schema: Self.schema1, migrations: []).migrate() == .created(version: 1))
        _ = try await pool.query("INSERT INTO item VALUES (7)")
        #expect(try await Migrator(pool: pool, schema: Self.schema3, migrations: Self.migrations).migrate() == .upgraded(from: 1, to: 3))
        #expect(try await versions(pool) == [1, 2, 3])
        #expect(try await pool.query("SELECT size FROM item WHERE id = 7")[0].decode(Int.self, "size") == 0)
        #expect(try await columns(pool) == ["id", "name", "size"])
    }

    @Test("a database newer than the server is refused, and says so")
    func databaseNewerThanServerIsRefused() async throws {
        let pool = try await pool()
        _ = try await Migrator(pool: pool, schema: Self.schema3, migrations: Self.migrations).migrate()
        let error = await #expect(throws: MigrationError.self) {
            try await Migrator(pool: pool, schema: Self.schema1, migrations: []).migrate()
        }
        #expect(error == .databaseIsNewer(database: 3, server: 1))
        #expect(
            error?.description
                == "the database has schema version 3, and this server knows versions up to 1: run the newer server, or restore a backup")
    }

    @Test("tables of somebody else are left alone")
    func tablesOfSomebodyElseAreLeft() async throws {
        let pool = try await TestDatabase.pool()
        _ = try await pool.query("CREATE TABLE precious (n integer)")
        await #expect(throws: MigrationError.unknownTables(schema: pool.configuration.schema ?? "")) {
            try await Migrator(pool: pool, schema: Self.schema1, migrations: []).migrate()
        }
    }

    @Test("a migration that was chosen as the victim of a deadlock with other programs begins again")
    func migrationThatWasChosenAsVictim() async throws {
        let pool = try await pool()
        _ = try await Migrator(pool: pool, schema: Self.schema1 + "CREATE SEQUENCE attempts", migrations: []).migrate()
        // A rollback does not take a sequence back.
        let deadlock = """
            ALTER TABLE item ADD COLUMN name text;
            DO $$ BEGIN IF nextval('attempts') < 3 THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END IF; END $$;
            """
        let migrator = Migrator(pool: pool, schema: "", migrations: [Migration(number: 2, name: "names", sql: deadlock)])
        #expect(try await migrator.migrate() == .upgraded(from: 1, to: 2))
        #expect(try await versions(pool) == [1, 2])
        #expect(try await columns(pool) == ["id", "name"])
        #expect(try await pool.query("SELECT last_value FROM attempts")[0].decode(Int.self, "last_value") == 3)
    }

    @Test("a step that fails leaves the database as it was")
    func stepThatFailsLeavesDatabaseAs() async throws {
        let pool = try await pool()
        _ = try await Migrator(pool: pool, schema: Self.schema1, migrations: []).migrate()
        let broken = [Self.migrations[0], Migration(number: 3, name: "broken", sql: "ALTER TABLE absent ADD COLUMN x text")]
        let error = await #expect(throws: PostgresError.self) { try await Migrator(pool: pool, schema: "", migrations: broken).migrate() }
        #expect(error?.sqlState == "42P01")
        #expect(try await versions(pool) == [1])
        #expect(try await columns(pool) == ["id"])
    }

    @Test("steps out of order are refused")
    func stepsOutOfOrderAreRefused() async throws {
        let pool = try await pool()
        await #expect(throws: MigrationError.misnumbered([3, 2])) {
            try await Migrator(pool: pool, schema: Self.schema1, migrations: Self.migrations.reversed()).migrate()
        }
    }

    @Test("of several that start together one does the work")
    func ofSeveralThatStartTogetherOne() async throws {
        let pool = try await pool()
        let migrator = Migrator(pool: pool, schema: Self.schema3, migrations: Self.migrations)
        let outcomes = try await withThrowingTaskGroup { group in
            for _ in 0..<4 { group.addTask { try await migrator.migrate() } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.count { $0 == .created(version: 3) } == 1)
        #expect(outcomes.count { $0 == .current } == 3)
    }
}
