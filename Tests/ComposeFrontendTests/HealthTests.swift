import ComposeStore
import ComposeTestKit
import EmbeddedPostgres
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import NIOCore
import Postgres
import SystemPackage
import Testing

@testable import ComposeFrontend

/// The answers to supervisors and load balancers.
@Suite("Health and readiness", .timeLimit(.minutes(1))) struct HealthTests {
    @Test("a process is ready while its database answers and has its tables, and its directories can be written; it is alive all the time")
    func readiness() async throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-health-\(UUID().uuidString.prefix(8))")
        let target = directory.appending("target")
        let server = EmbeddedPostgres(directory: directory.appending("postgresql"), durable: false, logger: .silent)
        let pool = PostgresPool(configuration: .init(connectionString: try await server.start()), logger: .silent)
        _ = try await Schema.migrate(pool)
        try FileManager.default.createDirectory(atPath: target.string, withIntermediateDirectories: true)
        let store = ComposeStore(pool: pool)
        let frontend = ComposeFrontend(
            configuration: FrontendConfiguration(
                targets: [:], admission: Admission(capabilities: .all, places: AllowedPlaces()), version: "1"),
            store: store, readiness: Readiness(store: store, written: ["default": target]), logger: .silent)
        try await frontend.application(address: .hostname()).test(.router) { client in
            func get(_ uri: String) async throws -> Answer {
                try await client.execute(uri: uri, method: .get) { Answer($0) }
            }
            func expectNotReady(_ message: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
                let answer = try await get("/readyz")
                #expect(answer.status == 503, sourceLocation: sourceLocation)
                #expect(try answer.message == message, sourceLocation: sourceLocation)
                #expect(answer.headers[.retryAfter] == "5", sourceLocation: sourceLocation)
                #expect(try await get("/healthz").text == #"{"status":"alive"}"#, sourceLocation: sourceLocation)
            }
            let ready = try await get("/readyz")
            #expect(ready.status == 200)
            #expect(ready.text == #"{"status":"ready"}"#)

            try FileManager.default.removeItem(atPath: target.string)
            try await expectNotReady("The target directory default cannot be written.")
            try FileManager.default.createDirectory(atPath: target.string, withIntermediateDirectories: true)

            _ = try await pool.query("UPDATE schema_version SET version = 1 WHERE version = (SELECT max(version) FROM schema_version)")
            try await expectNotReady("The tables of the database are older than this server.")
            _ = try await pool.query("UPDATE schema_version SET version = 1000")
            #expect(try await get("/readyz").status == 200)

            try await server.stop()
            try await expectNotReady("The database does not answer.")
        }
        try FileManager.default.removeItem(atPath: directory.string)
    }
}
