import Postgres
import Testing

struct PreparedStatementTests {
    private func prepared(_ connection: PostgresConnection) async throws -> Int {
        try await connection.query("SELECT count(*) AS count FROM pg_prepared_statements")[0].decode("count")
    }

    @Test("a statement is prepared once")
    func statementIsPreparedOnce() async throws {
        let pool = try await TestDatabase.pool { $0.size = 1 }
        try await pool.withConnection { connection in
            for number in 1...5 { _ = try await connection.query("SELECT \(number)") }
            // That one, and the one that counts.
            #expect(try await prepared(connection) == 2)
        }
    }

    @Test("no more are kept than allowed, and the ones in use stay")
    func noMoreAreKeptThanAllowed() async throws {
        let pool = try await TestDatabase.pool {
            $0.size = 1
            $0.preparedStatements = 4
        }
        try await pool.withConnection { connection in
            for number in 1...20 {
                _ = try await connection.query("SELECT \(unsafe: "\(number)")")
                _ = try await connection.query("SELECT 'often'")
            }
            #expect(try await prepared(connection) == 4)
            let often = try await connection.query(
                "SELECT count(*) AS count FROM pg_prepared_statements WHERE statement = 'SELECT ''often'''")
            #expect(try often[0].decode(Int.self, "count") == 1)
        }
    }

    @Test("the same text with other types is another statement")
    func sameTextWithOtherTypesIs() async throws {
        let pool = try await TestDatabase.pool { $0.size = 1 }
        #expect(try await pool.query("SELECT \(1) AS it")[0].decode(Int.self, "it") == 1)
        #expect(try await pool.query("SELECT \(true) AS it")[0].decode(Bool.self, "it") == true)
        #expect(try await pool.query("SELECT \("one") AS it")[0].decode(String.self, "it") == "one")
    }

    @Test("a statement goes on when the table's columns have changed")
    func statementGoesOnWhenTableColumns() async throws {
        let pool = try await TestDatabase.pool { $0.size = 1 }
        try await pool.withConnection { connection in
            try await connection.simple("CREATE TABLE t (a integer); INSERT INTO t VALUES (1)")
            #expect(try await connection.query("SELECT * FROM t")[0].decode(Int.self, "a") == 1)
            try await connection.simple("ALTER TABLE t ADD COLUMN b text DEFAULT 'new'")
            #expect(try await connection.query("SELECT * FROM t")[0].decode(String.self, "b") == "new")
            #expect(try await connection.query("SELECT * FROM t").count == 1)
        }
    }

    @Test("a statement goes on when the server has forgotten it")
    func statementGoesOnWhenServerHas() async throws {
        let pool = try await TestDatabase.pool { $0.size = 1 }
        try await pool.withConnection { connection in
            _ = try await connection.query("SELECT \(1)")
            try await connection.simple("DEALLOCATE ALL")
            #expect(try await connection.query("SELECT \(1)").count == 1)
        }
    }

    @Test("in a transaction a changed table is an error that may be tried again")
    func inTransactionChangedTableIsError() async throws {
        let pool = try await TestDatabase.pool { $0.size = 1 }
        _ = try await pool.query("CREATE TABLE t (a integer)")
        _ = try await pool.query("SELECT * FROM t")
        _ = try await pool.query("ALTER TABLE t ADD COLUMN b text")
        let error = await #expect(throws: PostgresError.self) {
            try await pool.withTransaction { try await $0.query("SELECT * FROM t") }
        }
        #expect(error?.isTransient == true)
        #expect(try await pool.withTransaction { try await $0.query("SELECT * FROM t") }.isEmpty)
    }

    @Test("a statement that cannot be prepared leaves nothing behind")
    func statementThatCannotBePreparedLeaves() async throws {
        let pool = try await TestDatabase.pool { $0.size = 1 }
        try await pool.withConnection { connection in
            await #expect(throws: PostgresError.self) { try await connection.query("SELECT * FROM absent") }
            try await connection.simple("CREATE TABLE absent (n integer)")
            #expect(try await connection.query("SELECT * FROM absent").isEmpty)
        }
    }
}
