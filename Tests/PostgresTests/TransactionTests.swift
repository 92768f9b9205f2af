import Postgres
import Testing

struct TransactionTests {
    private struct Refusal: Error {}

    private func pool() async throws -> PostgresPool {
        let pool = try await TestDatabase.pool { $0.size = 2 }
        _ = try await pool.query("CREATE TABLE t (n integer UNIQUE)")
        return pool
    }

    private func numbers(_ pool: PostgresPool) async throws -> [Int] {
        try await pool.query("SELECT n FROM t ORDER BY n").map { try $0.decode("n") }
    }

    @Test("what a transaction did is there when it returns, and not before")
    func whatTransactionDidIsThereWhen() async throws {
        let pool = try await pool()
        let count = try await pool.withTransaction { connection in
            _ = try await connection.query("INSERT INTO t VALUES (1)")
            #expect(try await numbers(pool) == [])
            return try await connection.query("INSERT INTO t VALUES (2)").affectedRows
        }
        #expect(count == 1)
        #expect(try await numbers(pool) == [1, 2])
    }

    @Test("a transaction that throws leaves nothing")
    func transactionThatThrowsLeavesNothing() async throws {
        let pool = try await pool()
        await #expect(throws: Refusal.self) {
            try await pool.withTransaction { connection in
                _ = try await connection.query("INSERT INTO t VALUES (1)")
                throw Refusal()
            }
        }
        #expect(try await numbers(pool) == [])
    }

    @Test("a failed statement that the body forgives still fails the transaction")
    func failedStatementThatBodyForgivesStill() async throws {
        let pool = try await pool()
        let error = await #expect(throws: PostgresError.self) {
            try await pool.withTransaction { connection in
                _ = try await connection.query("INSERT INTO t VALUES (1)")
                do {
                    _ = try await connection.query("INSERT INTO t VALUES (1)")
                } catch is PostgresError {}
            }
        }
        #expect(error?.code == .query)
        #expect(try await numbers(pool) == [])
    }

    @Test("statements that are sent at once see each other, and what others commit while one of them waits for a lock")
    func statementsAtOnce() async throws {
        let pool = try await pool()
        let rows = try await pool.transaction(["INSERT INTO t VALUES (\(1)), (\(2))", "SELECT n FROM t ORDER BY n"])
        #expect(rows[0].affectedRows == 2)
        #expect(try rows[1].map { try $0.decode(Int.self, "n") } == [1, 2])
        let lock: SQL = "SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 0))"
        let name = pool.configuration.applicationName
        let seen = try await withThrowingTaskGroup(of: [Int].self) { group in
            try await pool.withTransaction { connection in
                _ = try await connection.query(lock)
                group.addTask {
                    try await pool.transaction([lock, "SELECT n FROM t ORDER BY n"])[1].map { try $0.decode(Int.self, "n") }
                }
                try await TestDatabase.observer(of: pool).until(
                    "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = \(name) AND wait_event = 'advisory')")
                _ = try await connection.query("INSERT INTO t VALUES (3)")
            }
            return try await group.next() ?? []
        }
        #expect(seen == [1, 2, 3])
    }

    @Test("if one of the statements that are sent at once fails, none has an effect, and the connection goes on")
    func failureAtOnce() async throws {
        let pool = try await pool()
        let session = try await pool.query("SELECT pg_backend_pid() AS pid").first?.decode(Int.self, "pid")
        for failing: SQL in ["INSERT INTO t VALUES (1)", "SELECT 1 / 0", "SELECT no_column FROM t"] {
            let error = await #expect(throws: PostgresError.self) {
                try await pool.transaction(["INSERT INTO t VALUES (1)", failing, "INSERT INTO t VALUES (5)"])
            }
            #expect(error?.sqlState != nil)
        }
        #expect(try await numbers(pool) == [])
        let rows = try await pool.transaction(["INSERT INTO t VALUES (6)", "SELECT pg_backend_pid() AS pid"])
        #expect(try rows[1].first?.decode(Int.self, "pid") == session)
        #expect(try await numbers(pool) == [6])
    }

    @Test("statements that are sent at once are prepared again after a change of their table, and see a late constraint")
    func changeAtOnce() async throws {
        let pool = try await pool()
        _ = try await pool.transaction(["INSERT INTO t VALUES (1)", "SELECT * FROM t"])
        _ = try await pool.query("ALTER TABLE t ADD COLUMN m integer")
        let rows = try await pool.transaction(["INSERT INTO t VALUES (2)", "SELECT * FROM t"])
        #expect(rows[1].count == 2)
        _ = try await pool.query("ALTER TABLE t ADD CONSTRAINT late UNIQUE (n) DEFERRABLE INITIALLY DEFERRED, DROP CONSTRAINT t_n_key")
        let error = await #expect(throws: PostgresError.self) { try await pool.transaction(["INSERT INTO t VALUES (2)"]) }
        #expect(error?.code == .constraint("late"))
        #expect(try await numbers(pool) == [1, 2])
    }

    @Test("a constraint that waits for COMMIT is reported")
    func constraintThatWaitsForCOMMITIs() async throws {
        let pool = try await pool()
        _ = try await pool.query("ALTER TABLE t ADD CONSTRAINT late UNIQUE (n) DEFERRABLE INITIALLY DEFERRED, DROP CONSTRAINT t_n_key")
        let error = await #expect(throws: PostgresError.self) {
            try await pool.withTransaction { try await $0.query("INSERT INTO t VALUES (1), (1)") }
        }
        #expect(error?.code == .constraint("late"))
    }

    @Test("a cancelled transaction is rolled back before it throws")
    func cancelledTransactionIsRolledBackBefore() async throws {
        let pool = try await pool()
        let (ready, signal) = AsyncStream.makeStream(of: Void.self)
        let task = Task {
            try await pool.withTransaction { connection in
                _ = try await connection.query("INSERT INTO t VALUES (1)")
                signal.yield()
                for await _ in AsyncStream(Void.self, { _ in }) {}  // ends by cancellation
                try Task.checkCancellation()
            }
        }
        for await _ in ready { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        // Would wait for a transaction that still held the row.
        _ = try await pool.query("INSERT INTO t VALUES (1)")
        #expect(try await numbers(pool) == [1])
    }

    @Test("a transaction left open by its borrower is not lent on")
    func transactionLeftOpenByItsBorrower() async throws {
        let pool = try await TestDatabase.pool { $0.size = 1 }
        _ = try await pool.query("CREATE TABLE t (n integer)")
        try await pool.withConnection { connection in
            try await connection.simple("BEGIN; INSERT INTO t VALUES (1)")
        }
        #expect(try await numbers(pool) == [])
    }

    private actor Counter {
        private var calls = 0

        /// A body that uses the caller's own state, without leaving its isolation.
        func count(_ pool: PostgresPool) async throws -> Int {
            try await pool.withTransaction { connection in
                calls += 1
                _ = try await connection.query("SELECT 1")
                calls += 1
            }
            return calls
        }
    }

    @Test("an actor may use its own state in a transaction")
    func actorMayUseItsOwnState() async throws {
        #expect(try await Counter().count(try await pool()) == 2)
    }
}
