import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

/// schema.sql and migrations/ lead to the same database.
@Suite struct MigrationTests {
    private static let checkout = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static func text(_ path: String) throws -> String {
        String(decoding: try Data(contentsOf: checkout.appending(path: path)), as: UTF8.self)
    }

    /// One version of the program, as far as the database is concerned.
    private struct Program {
        let schema: String
        let migrations: [Migration]

        static let now = Program(schema: Schema.whole, migrations: Schema.migrations)

        static func first() throws -> Program { Program(schema: try text("migrations/0001-first.sql"), migrations: []) }
    }

    /// Runs `body` on an empty schema beside that of `database`, in which `programs` were started one after
    /// the other.
    private func with<R>(
        _ programs: [Program], in database: TestDatabase, _ body: (PostgresPool, [MigrationOutcome]) async throws -> R
    ) async throws -> R {
        var configuration = database.configuration
        configuration.schema = "\(database.schema)_2"
        let pool = PostgresPool(configuration: configuration, logger: .silent)
        var outcomes: [MigrationOutcome] = []
        for program in programs {
            outcomes.append(try await Migrator(pool: pool, schema: program.schema, migrations: program.migrations).migrate())
        }
        let result = try await body(pool, outcomes)
        _ = try await pool.query("DROP SCHEMA \(identifier: "\(database.schema)_2") CASCADE")
        return result
    }

    private func difference(_ one: PostgresPool, from other: PostgresPool) async throws -> [String] {
        let (one, other) = (try await Catalog(one), try await Catalog(other))
        return one.difference(from: other)
    }

    @Test("a database of the first version, upgraded, is like one that was made by schema.sql")
    func firstVersion() async throws {
        try await TestDatabase.with { database in
            try await with([.first(), .now], in: database) { pool, outcomes in
                let newest = Schema.migrations.last?.number ?? 1
                #expect(outcomes == [.created(version: 1), newest == 1 ? .current : .upgraded(from: 1, to: newest)])
                let difference = try await difference(pool, from: database.pool)
                #expect(difference == [])
            }
        }
    }

    @Test("composes that were removed before they were counted are counted")
    func removedBefore() async throws {
        try await TestDatabase.with { database in
            try await with([.first()], in: database) { pool, _ in
                _ = try await pool.query(
                    """
                    INSERT INTO composes (owner, request, source_type, source, state, time_removed, time_to_expire)
                    SELECT 'me', '{}', 3, '/srv/repo', 3, now(), now() FROM generate_series(1, 5)
                    """)
                _ = try await Schema.migrate(pool)
                let counts = try await ComposeStore(pool: pool).statistics().counts
                #expect(counts.map { "\($0.sourceType) \($0.state) \($0.composes)" } == ["repo removed 5"])
            }
        }
    }

    @Test("attempts and events of composes survive the version that also builds images, and a live lease goes on")
    func liveAttempts() async throws {
        try await TestDatabase.with { database in
            let old = Program(schema: Schema.whole, migrations: Schema.migrations.filter { $0.number < 8 })
            try await with([.first(), old], in: database) { pool, _ in
                let store = ComposeStore(pool: pool)
                _ = try await pool.query(
                    """
                    INSERT INTO composes (owner, request, source_type, source, time_to_expire)
                    SELECT 'me', \(PostgresJSON(ComposeRequest.repo())), 3, '/srv/repo', now() FROM generate_series(1, 2)
                    """)
                // The statements of the version before, which may still run during the migration.
                let claim: SQL = """
                    WITH claimed AS (
                        UPDATE composes c SET state = 1, attempts = c.attempts + 1, lease_token = gen_random_uuid(),
                            lease_expires_at = now() + interval '60 s'
                        WHERE c.id = (SELECT min(id) FROM composes WHERE state = 0) RETURNING c.*
                    ), attempt AS (
                        INSERT INTO attempts (compose_id, number, lease_token, worker) SELECT id, attempts, lease_token, 'old' FROM claimed
                    ) SELECT \(fragment: Compose.columns), c.lease_token FROM claimed c
                    """
                let leases = try await pool.query(claim).map { row in
                    ComposeLease(compose: try Compose(row), token: try row.decode(UUID.self, "lease_token"))
                }
                let events = try await pool.query("SELECT id FROM events WHERE compose_id IS NOT NULL").count
                _ = try await Schema.migrate(pool)
                _ = try await pool.query(claim)
                #expect(try await pool.query("SELECT id FROM events WHERE compose_id IS NOT NULL AND build_id IS NULL").count == events + 1)
                #expect(try await store.heartbeat(leases[0], for: .seconds(60)))
                #expect(try await store.openAttempts(among: leases.map(\.token)) == Set(leases.map(\.token)))
                #expect(try await store.release(leases[0]))
                #expect(try await pool.query("SELECT 1 AS x FROM attempts WHERE worker = 'old' AND outcome IS NULL").count == 1)
            }
        }
    }

    @Test("events that the version before has not published are delivered, and those that it has published are not")
    func unpublishedEvents() async throws {
        try await TestDatabase.with { database in
            let old = Program(schema: Schema.whole, migrations: Schema.migrations.filter { $0.number < 27 })
            try await with([.first(), old], in: database) { pool, _ in
                _ = try await pool.query(
                    """
                    INSERT INTO composes (owner, request, source_type, source, time_to_expire)
                    SELECT 'me', \(PostgresJSON(ComposeRequest.repo())), 3, '/srv/repo', now() FROM generate_series(1, 5)
                    """)
                _ = try await pool.query("UPDATE events SET published_at = now() WHERE compose_id IN (1, 2, 4)")
                _ = try await Schema.migrate(pool)
                // A worker of the version before, which still runs.
                _ = try await pool.query("UPDATE events SET published_at = now() WHERE compose_id = 3")
                let store = ComposeStore(pool: pool)
                try await store.registerSubscribers(["hook"])
                #expect(try await store.sequenceEvents() == 2)
                let turn = try #require(try await store.takeDeliveryTurn(to: "hook", for: .seconds(60)))
                #expect(turn.events.map(\.position) == [4, 5])
                #expect(turn.events.map(\.object) == [.compose(3), .compose(5)])
            }
        }
    }

    @Test("the comparison sees every kind of difference")
    func comparison() async throws {
        let changes = [
            "ALTER TABLE workers ALTER slots SET DEFAULT 1", "ALTER TABLE workers ADD COLUMN host text",
            "ALTER TABLE composes ALTER owner DROP NOT NULL",
            "ALTER TABLE workers DROP CONSTRAINT workers_slots_check", "DROP INDEX composes_by_owner",
            "DROP TRIGGER composes_submitted ON composes", "ALTER TABLE composes DISABLE TRIGGER composes_transition",
            "CREATE OR REPLACE FUNCTION composes_state_changed() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "CREATE VIEW waiting AS SELECT id FROM composes", "CREATE TYPE colour AS ENUM ('red')", "ALTER TABLE dead_letters SET UNLOGGED",
            "ALTER TABLE events ALTER id SET INCREMENT 2",
        ]
        try await TestDatabase.with { database in
            for change in changes {
                try await with([.now], in: database) { pool, _ in
                    #expect(try await difference(pool, from: database.pool) == [])
                    _ = try await pool.query("\(unsafe: change)")
                    #expect(try await difference(pool, from: database.pool) != [], "\(change)")
                }
            }
        }
    }

    /// What a change of the schema looks like: the whole schema with it, and the step towards it.
    private func programWithHosts(step: String) -> Program {
        let number = (Schema.migrations.last?.number ?? 1) + 1
        return Program(
            schema: Schema.whole.replacing("CREATE TABLE workers (", with: "CREATE TABLE workers (host text NOT NULL DEFAULT 'here',"),
            migrations: Schema.migrations + [Migration(number: number, name: "hosts", sql: step)])
    }

    @Test("a change of the schema reaches a database that has rows already")
    func madeUpChange() async throws {
        let next = programWithHosts(step: "ALTER TABLE workers ADD COLUMN host text NOT NULL DEFAULT 'here';")
        try await TestDatabase.with { database in
            try await database.store.workerIsAlive("w", slots: 2)
            let outcome = try await Migrator(pool: database.pool, schema: next.schema, migrations: next.migrations).migrate()
            #expect(outcome == .upgraded(from: next.migrations.count, to: next.migrations.count + 1))
            #expect(try await database.pool.query("SELECT host FROM workers")[0].decode(String.self, "host") == "here")
            try await with([next], in: database) { pool, outcomes in
                #expect(outcomes == [.created(version: next.migrations.count + 1)])
                let difference = try await difference(database.pool, from: pool)
                #expect(difference == [])
            }
        }
    }

    @Test("a step that does not lead to schema.sql is found, and what differs is said")
    func incompleteStep() async throws {
        let next = programWithHosts(step: "ALTER TABLE workers ADD COLUMN host text;")
        try await TestDatabase.with { database in
            _ = try await Migrator(pool: database.pool, schema: next.schema, migrations: next.migrations).migrate()
            try await with([next], in: database) { pool, _ in
                let difference = try await difference(database.pool, from: pool)
                #expect(
                    difference == [
                        "missing: column workers.host text null f default 'here'::text identity  generated  collation \"default\"",
                        "surplus: column workers.host text null t default  identity  generated  collation \"default\"",
                    ])
            }
        }
    }

    @Test("the program has exactly the files of migrations/")
    func files() throws {
        #expect(Schema.whole == (try Self.text("schema.sql")))
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.checkout.appending(path: "migrations").path)
            .filter { $0.hasSuffix(".sql") }.sorted()
        #expect(names.first == "0001-first.sql")
        let migrations = try names.dropFirst().map { name in
            let parts = try #require(name.wholeMatch(of: /(\d{4})-([a-z0-9-]+)\.sql/))
            return Migration(number: try #require(Int(parts.1)), name: String(parts.2), sql: try Self.text("migrations/\(name)"))
        }
        #expect(Schema.migrations == migrations)
    }

    @Test("a database of a newer version is left alone")
    func newerDatabase() async throws {
        try await TestDatabase.with { database in
            _ = try await database.pool.query("INSERT INTO schema_version (version, name) VALUES (99, 'from the future')")
            let before = try await Catalog(database.pool)
            let error = await #expect(throws: MigrationError.self) { try await Schema.migrate(database.pool) }
            #expect(error == .databaseIsNewer(database: 99, server: Schema.migrations.last?.number ?? 1))
            #expect(try await Catalog(database.pool) == before)
        }
    }
}
