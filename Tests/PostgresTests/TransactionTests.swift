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
