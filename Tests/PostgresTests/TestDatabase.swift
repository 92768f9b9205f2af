import EmbeddedPostgres
import Foundation
import Logging
import Postgres
import SystemPackage

/// The PostgreSQL server that the tests of this process share, and a schema in it for each of them.
enum TestDatabase {
    static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static let server = Task {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("postgres-tests-\(UUID())")
        let server = EmbeddedPostgres(directory: directory, durable: false, logger: logger)
        let connectionString = try await server.start()
        await server.stopAtProcessExit(removingDirectory: true)
        return connectionString
    }

    /// Settings with a schema, and a name for the sessions, that no other test uses.
    static func configuration() async throws -> PostgresPool.Configuration {
        let id = UUID()
        let configuration = PostgresPool.Configuration(
            connectionString: try await server.value, schema: "\"quoted\" \\ é \(id)", size: 4, applicationName: "\(id)")
        let owner = PostgresPool(configuration: configuration, logger: logger)
        _ = try await owner.query("CREATE SCHEMA \(identifier: configuration.schema ?? "")")
        return configuration
    }

    static func pool(_ change: (inout PostgresPool.Configuration) -> Void = { _ in }) async throws -> PostgresPool {
        var configuration = try await configuration()
        change(&configuration)
        return PostgresPool(configuration: configuration, logger: logger)
    }

    /// A pool that looks at the sessions of another.
    static func observer(of pool: PostgresPool) -> PostgresPool {
        var configuration = pool.configuration
        configuration.applicationName = "observer"
        return PostgresPool(configuration: configuration, logger: logger)
    }
}

extension PostgresPool {
    /// Asks again and again until the answer is true: for what the server does in its own time.
    func until(_ condition: SQL) async throws {
        while try await query("SELECT (\(fragment: condition)) AS it").first?.decode(Bool.self, "it") != true {}
    }

    /// Ends all sessions with this name, and waits until they have ended.
    func terminateSessions(named name: String) async throws -> Int {
        try await query("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = \(name)").count
    }
}
