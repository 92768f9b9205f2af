import Foundation
import Postgres
import Testing

struct SessionTests {
    @Test("a session is set up as the configuration says")
    func sessionIsSetUpAsConfiguration() async throws {
        let pool = try await TestDatabase.pool { $0.statementTimeout = .seconds(12) }
        let row = try await pool.query(
            """
            SELECT current_schema() AS schema, current_setting('TimeZone') AS zone, current_setting('application_name') AS name,
                current_setting('statement_timeout') AS timeout, current_setting('client_encoding') AS encoding
            """)[0]
        #expect(try row.decode(String.self, "schema") == pool.configuration.schema)
        #expect(try row.decode(String.self, "zone") == "UTC")
        #expect(try row.decode(String.self, "name") == pool.configuration.applicationName)
        #expect(try row.decode(String.self, "timeout") == "12s")
        #expect(try row.decode(String.self, "encoding") == "UTF8")
    }

    @Test("what the database or the role has for a default changes nothing that statements rely on")
    func whatDatabaseOrRoleHasFor() async throws {
        let odd = [
            "default_transaction_isolation=serializable", "default_transaction_read_only=on", "default_transaction_deferrable=on",
            "datestyle=German", "timezone=Asia/Kathmandu", "intervalstyle=sql_standard", "extra_float_digits=-5", "lock_timeout=1",
            "statement_timeout=1", "idle_in_transaction_session_timeout=1", "standard_conforming_strings=off", "bytea_output=escape",
        ]
        let pool = try await TestDatabase.pool {
            $0.connectionString += " options='\(odd.map { "-c \($0)" }.joined(separator: " "))'"
        }
        let row = try await pool.query(
            """
            SELECT current_setting('transaction_isolation') AS isolation, current_setting('lock_timeout') AS lock,
                current_setting('idle_in_transaction_session_timeout') AS idle, 0.1::float8 + 0.2::float8 AS number,
                timestamptz '2026-11-29 10:00:00+00' AS time, '\\'::text AS text
            """)[0]
        #expect(try row.decode(String.self, "isolation") == "read committed")
        #expect(try row.decode(String.self, "lock") == "0")
        #expect(try row.decode(String.self, "idle") == "10s")
        #expect(try row.decode(Double.self, "number") == 0.1 + 0.2)
        #expect(try row.decode(Date.self, "time") == Date(timeIntervalSince1970: 1_795_946_400))
        #expect(try row.decode(String.self, "text") == "\\")
        try await pool.withTransaction { connection in
            try await connection.simple("CREATE TABLE t (n integer); INSERT INTO t VALUES (1)")
        }
    }

    @Test("the session of a transaction that does nothing for too long is ended, and its locks are free")
    func sessionOfTransactionThatDoesNothing() async throws {
        let pool = try await TestDatabase.pool { $0.idleTransactionTimeout = .milliseconds(50) }
        let error = await #expect(throws: PostgresError.self) {
            try await pool.withTransaction { connection in
                let pid = try await connection.query("SELECT pg_backend_pid() AS pid")[0].decode(Int.self, "pid")
                while try await !pool.query("SELECT 1 FROM pg_stat_activity WHERE pid = \(pid)").isEmpty { await Task.yield() }
                _ = try await connection.query("SELECT 1")
            }
        }
        #expect(error?.code == .connection)
        #expect(try await pool.query("SELECT 1").count == 1)
    }

    @Test("a connection string may be a URI")
    func connectionStringMayBeURI() async throws {
        let configuration = try await TestDatabase.configuration()
        let socket = try #require(configuration.connectionString.split(separator: " ").first { $0.hasPrefix("host=") }?.dropFirst(5))
        let escaped = try #require(String(socket).addingPercentEncoding(withAllowedCharacters: .alphanumerics))
        let pool = PostgresPool(
            configuration: .init(connectionString: "postgresql://postgres@\(escaped)/postgres"), logger: TestDatabase.logger)
        #expect(try await pool.query("SELECT current_user::text AS name")[0].decode(String.self, "name") == "postgres")
    }

    @Test("a connection string that is not understood is not repeated")
    func connectionStringThatIsNotUnderstood() async throws {
        let pool = PostgresPool(configuration: .init(connectionString: "postgres//me:secret@host"), logger: TestDatabase.logger)
        let error = await #expect(throws: PostgresError.self) { try await pool.query("SELECT 1") }
        #expect(error?.code == .connection)
        #expect(error?.description.contains("secret") == false)
    }

    @Test("a script runs all of its statements")
    func scriptRunsAllOfItsStatements() async throws {
        let pool = try await TestDatabase.pool()
        try await pool.withConnection { connection in
            try await connection.simple("CREATE TABLE t (n integer); INSERT INTO t VALUES (1), (2); INSERT INTO t VALUES (3)")
            #expect(try await connection.query("SELECT n FROM t").count == 3)
        }
    }

    @Test("two statements at once on one connection are refused, and both ends stay sound")
    func twoStatementsAtOnceOnOne() async throws {
        let pool = try await TestDatabase.pool { $0.size = 1 }
        try await pool.withConnection { connection in
            let codes = await withTaskGroup { group in
                for number in 1...2 {
                    group.addTask { () -> PostgresError.Code? in
                        do {
                            _ = try await connection.query("SELECT \(number)")
                            return nil
                        } catch {
                            return (error as? PostgresError)?.code
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.contains(nil))
            #expect(codes.allSatisfy { $0 == nil || $0 == .query })
            let third = try await connection.query("SELECT 3 AS n")
            #expect(try third[0].decode(Int.self, "n") == 3)
        }
    }

    @Test("COPY to the client is refused, and the pool goes on")
    func copyToClientIsRefused() async throws {
        let pool = try await TestDatabase.pool { $0.size = 1 }
        let error = await #expect(throws: PostgresError.self) { try await pool.query("COPY (SELECT 1) TO STDOUT") }
        #expect(error?.code == .query)
        #expect(try await pool.query("SELECT 1").count == 1)
    }
}
