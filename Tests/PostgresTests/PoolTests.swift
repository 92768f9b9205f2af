import Logging
import ServiceLifecycle
import Testing

@testable import Postgres

@Suite(.timeLimit(.minutes(5)))
struct PoolTests {
    @Test("fifty tasks share as many connections as allowed")
    func fiftyTasksShareAsManyConnections() async throws {
        let pool = try await TestDatabase.pool { $0.size = 3 }
        let observer = TestDatabase.observer(of: pool)
        let sum = try await withThrowingTaskGroup(of: Int.self) { group in
            for number in 1...50 {
                group.addTask {
                    try await pool.withConnection { connection in
                        let sessions = try await observer.query(
                            "SELECT count(*) AS count FROM pg_stat_activity WHERE application_name = \(pool.configuration.applicationName)")
                        #expect(try sessions[0].decode(Int.self, "count") <= 3)
                        return try await connection.query("SELECT \(number) AS n")[0].decode(Int.self, "n")
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(sum == 50 * 51 / 2)
        #expect(await pool.leases.open == 3)
    }

    @Test("who waits is served in order, and a cancelled one leaves the line")
    func whoWaitsIsServedInOrder() async throws {
        let pool = try await TestDatabase.pool { $0.size = 1 }
        var tasks: [Task<Int, any Error>] = []
        try await pool.withConnection { _ in
            for number in 0..<3 {
                tasks.append(Task { try await pool.query("SELECT nextval('turns')::bigint AS turn")[0].decode("turn") })
                while await pool.leases.waiting <= number { await Task.yield() }
            }
            tasks[1].cancel()
            await #expect(throws: CancellationError.self) { try await tasks[1].value }
            #expect(await pool.leases.waiting == 2)
            _ = try await TestDatabase.observer(of: pool).query("CREATE SEQUENCE turns")
        }
        #expect(try await tasks[0].value == 1)
        #expect(try await tasks[2].value == 2)
        #expect(await pool.leases.open == 1)
    }

    @Test("who waits too long is told so")
    func whoWaitsTooLongIsTold() async throws {
        let pool = try await TestDatabase.pool {
            $0.size = 1
            $0.acquireTimeout = .milliseconds(20)
        }
        try await pool.withConnection { _ in
            let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
            #expect(error?.code == .timeout)
        }
        #expect(try await pool.query("SELECT 1").count == 1)
    }

    @Test("a task that is cancelled before it begins gets no connection")
    func taskThatIsCancelledBeforeIt() async throws {
        let pool = try await TestDatabase.pool()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            _ = try await pool.query("SELECT 1")
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(await pool.leases.open == 0)
    }

    @Test("a cancelled statement is stopped on the server, and the pool goes on")
    func cancelledStatementIsStoppedOnServer() async throws {
        let pool = try await TestDatabase.pool {
            $0.size = 1
            $0.statementTimeout = nil
        }
        let observer = TestDatabase.observer(of: pool)
        let name = pool.configuration.applicationName
        let task = Task { try await pool.query("SELECT pg_sleep(600)") }
        try await observer.until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = \(name) AND wait_event = 'PgSleep')")
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        try await observer.until("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = \(name))")
        #expect(try await pool.query("SELECT 1").count == 1)
    }

    @Test("connections that the server ended while idle are replaced unseen")
    func connectionsThatServerEndedWhileIdle() async throws {
        let pool = try await TestDatabase.pool()
        try await pool.withConnection { _ in _ = try await pool.query("SELECT 1") }
        #expect(await pool.leases.open == 2)
        #expect(try await TestDatabase.observer(of: pool).terminateSessions(named: pool.configuration.applicationName) == 2)
        #expect(try await pool.query("SELECT 1").count == 1)
        #expect(await pool.leases.open == 1)
    }

    @Test("a connection that the server ends in use is an error, and the next use has another")
    func connectionThatServerEndsInUse() async throws {
        let pool = try await TestDatabase.pool { $0.size = 1 }
        let error = await #expect(throws: PostgresError.self) {
            try await pool.withTransaction { connection in
                _ = try await connection.query("SELECT 1")
                _ = try await TestDatabase.observer(of: pool).terminateSessions(named: pool.configuration.applicationName)
                _ = try await connection.query("SELECT 2")
            }
        }
        #expect(error?.code == .connection)
        #expect(error?.isTransient == true)
        #expect(try await pool.query("SELECT 1").count == 1)
    }

    @Test("a connection lost in the middle of a statement is an error at once")
    func connectionLostInMiddleOfStatement() async throws {
        let pool = try await TestDatabase.pool { $0.statementTimeout = nil }
        let observer = TestDatabase.observer(of: pool)
        async let error = #expect(throws: PostgresError.self) { try await pool.query("SELECT pg_sleep(600)") }
        try await observer.until(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = \(pool.configuration.applicationName) AND wait_event = 'PgSleep')"
        )
        _ = try await observer.terminateSessions(named: pool.configuration.applicationName)
        #expect(await error?.code == .connection)
    }

    @Test("the graceful shutdown closes idle connections and lends no more")
    func gracefulShutdownClosesIdleConnectionsAnd() async throws {
        let pool = try await TestDatabase.pool()
        let observer = TestDatabase.observer(of: pool)
        _ = try await pool.query("SELECT 1")
        let group = ServiceGroup(configuration: .init(services: [pool], logger: TestDatabase.logger))
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        try await observer.until(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = \(pool.configuration.applicationName))")
        let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
        #expect(error?.code == .connection)
    }

    @Test("a pool that nobody holds any more closes its connections")
    func poolThatNobodyHoldsAnyMore() async throws {
        let configuration = try await TestDatabase.configuration()
        var pool: PostgresPool? = PostgresPool(configuration: configuration, logger: TestDatabase.logger)
        _ = try await pool?.query("SELECT 1")
        let observer = try await TestDatabase.pool()
        pool = nil
        try await observer.until(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = \(configuration.applicationName))")
    }
}
