public import ComposeModel
public import ComposeStore
import EmbeddedPostgres
import Foundation
public import Logging
public import Postgres
import SystemPackage

/// A real PostgreSQL for tests: one cluster for the process, a schema of its own for every test.
public struct TestDatabase: Sendable {
    public let pool: PostgresPool
    public let store: ComposeStore
    /// The schema's name, and that of the channel for notifications.
    public let schema: String
    public var configuration: PostgresConfiguration { pool.configuration }

    /// Runs `body` on a database that nothing else uses, with all tables.
    ///
    /// - Parameter address: The address of another cluster than that of the process.
    public static func with<R>(size: Int = 8, at address: String? = nil, _ body: (TestDatabase) async throws -> R) async throws -> R {
        var connectionString = address ?? ""
        if address == nil { connectionString = try await cluster.value }
        let schema = "test_\(UUID().uuidString.replacing("-", with: "").lowercased())"
        let configuration = PostgresConfiguration(
            connectionString: connectionString, schema: schema, size: size, settings: Schema.sessionSettings)
        let pool = PostgresPool(configuration: configuration, logger: .silent)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await pool.run() }
            defer { group.cancelAll() }
            _ = try await Schema.migrate(pool)
            let result = try await body(TestDatabase(pool: pool, store: ComposeStore(pool: pool), schema: schema))
            _ = try await pool.query("DROP SCHEMA \(identifier: schema) CASCADE")
            return result
        }
    }

    /// Where the process's cluster listens; started by the first test that needs it, ended with the process.
    private static let cluster = Task {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-test-\(UUID().uuidString.prefix(8))")
        let postgres = EmbeddedPostgres(directory: directory, durable: false, logger: .silent)
        let connectionString = try await postgres.start()
        await postgres.stopAtProcessExit(removingDirectory: true)
        return connectionString
    }
}

extension Logger {
    /// Swallows everything.
    public static var silent: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

extension ComposeRequest {
    /// A request for packages of one repository.
    public static func repo(
        _ packages: [String] = ["ed"], from source: String = "/srv/repo", flags: ComposeFlags = [], secondsToLive: Int = 3600
    ) -> ComposeRequest {
        ComposeRequest(
            sourceType: .repo, source: [source], packages: packages, flags: flags, arches: ["x86_64"], secondsToLive: secondsToLive)
    }
}

extension ComposeRequest {
    /// A request for packages of a Koji tag.
    public static func tag(
        _ packages: [String] = ["ed"], from tag: String = "f26-updates", sigkeys: [String] = [], flags: ComposeFlags = [],
        secondsToLive: Int = 3600
    ) -> ComposeRequest {
        ComposeRequest(
            sourceType: .tag, source: [tag], packages: packages, sigkeys: sigkeys, flags: flags, arches: ["x86_64"],
            secondsToLive: secondsToLive)
    }
}

extension ComposeSpecification {
    /// What ``ComposeRequest/repo(_:from:flags:secondsToLive:)`` is when its repository is pinned at `pin`.
    public static func pinned(_ request: ComposeRequest, at pin: String = "sha256:00") -> ComposeSpecification {
        ComposeSpecification(request, pins: ComposePins(repositories: request.source.map { .init(location: $0, repomd: pin) }))
    }
}
