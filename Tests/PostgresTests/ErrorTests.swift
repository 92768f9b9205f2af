import Postgres
import Testing

struct ErrorTests {
    private func pool() async throws -> PostgresPool {
        let pool = try await TestDatabase.pool()
        try await pool.withConnection { connection in
            try await connection.simple(
                """
                CREATE TABLE owner (name text CONSTRAINT owner_key PRIMARY KEY);
                CREATE TABLE item (
                    id bigint NOT NULL,
                    owner text CONSTRAINT item_owner REFERENCES owner,
                    size integer CONSTRAINT item_size CHECK (size > 0)
                );
                INSERT INTO owner VALUES ('secret');
                """)
        }
        return pool
    }

    @Test(
        "a constraint's error names it, and none of the values",
        arguments: [
            ("INSERT INTO owner VALUES (\("secret"))", "owner_key"),
            ("INSERT INTO item VALUES (1, \("secret2"), 1)", "item_owner"),
            ("INSERT INTO item VALUES (1, \("secret"), \(-5))", "item_size"),
            ("INSERT INTO item VALUES (\(Int?.none), \("secret"), 1)", "item.id"),
        ] as [(SQL, String)])
    func constraintErrorNamesIt(statement: SQL, constraint: String) async throws {
        let pool = try await pool()
        let error = try #require(await #expect(throws: PostgresError.self) { try await pool.query(statement) })
        #expect(error.code == .constraint(constraint))
        #expect(error.sqlState?.hasPrefix("23") == true)
        #expect(!error.isTransient)
        #expect(!"\(error)".contains("secret"))
    }

    @Test("a value that PostgreSQL cannot read is not repeated")
    func valueThatPostgreSQLCannotReadIs() async throws {
        let pool = try await pool()
        let error = try #require(await #expect(throws: PostgresError.self) { try await pool.query("SELECT \("hush")::uuid") })
        #expect(error.code == .query)
        #expect(error.description == "invalid input syntax for type uuid: \"…\" (SQLSTATE 22P02)")
    }

    @Test("a wrong statement is an error of the query")
    func wrongStatementIsErrorOfQuery() async throws {
        let pool = try await pool()
        let error = try #require(await #expect(throws: PostgresError.self) { try await pool.query("SELEC 1") })
        #expect(error.code == .query)
        #expect(error.sqlState == "42601")
    }

    @Test("a statement that takes too long is ended")
    func statementThatTakesTooLongIs() async throws {
        let pool = try await TestDatabase.pool { $0.statementTimeout = .milliseconds(20) }
        let error = try #require(await #expect(throws: PostgresError.self) { try await pool.query("SELECT pg_sleep(600)") })
        #expect(error.code == .timeout)
        #expect(error.isTransient)
        #expect(try await pool.query("SELECT 1").count == 1)
    }

    @Test("a statement that an administrator ends is told apart")
    func statementThatAdministratorEndsIsTold() async throws {
        let pool = try await TestDatabase.pool { $0.statementTimeout = nil }
        let observer = TestDatabase.observer(of: pool)
        async let error = #expect(throws: PostgresError.self) { try await pool.query("SELECT pg_sleep(600)") }
        try await observer.until(
            """
            SELECT coalesce(bool_or(pg_cancel_backend(pid)), false) FROM pg_stat_activity
            WHERE application_name = \(pool.configuration.applicationName) AND wait_event = 'PgSleep'
            """)
        #expect(await error?.code == .canceled)
    }

    @Test("transactions in each other's way are an error of serialization")
    func transactionsInEachOtherWayAre() async throws {
        let pool = try await TestDatabase.pool()
        _ = try await pool.query("CREATE TABLE t AS SELECT 1 AS n")
        let error = await #expect(throws: PostgresError.self) {
            try await pool.withTransaction { mine in
                try await mine.simple("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                _ = try await mine.query("SELECT n FROM t")
                _ = try await pool.query("UPDATE t SET n = 2")
                _ = try await mine.query("UPDATE t SET n = 3")
            }
        }
        #expect(error?.code == .serialization)
        #expect(error?.isTransient == true)
        #expect(try await pool.query("SELECT n FROM t")[0].decode(Int.self, "n") == 2)
    }
}
