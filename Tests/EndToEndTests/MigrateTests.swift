import ComposeTestKit
import Foundation
import Postgres
import SystemPackage
import Testing

/// `odcs-server migrate`, and what a server makes of a database that is not its own.
@Suite(.timeLimit(.minutes(2))) struct MigrateTests {
    private func server(_ command: String, _ service: TestService) async throws -> Program {
        try await Program.run([Program.own("odcs-server"), command, "--config", service.configuration.string])
    }

    /// The version that the newest file of migrations/ makes.
    private static func newest() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: Checkout.directory.appending("migrations").string)
            .compactMap { Int($0.prefix(4)) }.max() ?? 0
    }

    @Test("an empty database gets all tables, once")
    func empty() async throws {
        try await TestService.with { service in
            let schema = service.database.schema
            _ = try await service.database.pool.query("DROP SCHEMA \(identifier: schema) CASCADE")
            let first = try await server("migrate", service)
            #expect(first.status == 0, "\(first)")
            #expect(try first.output == "The schema \(schema) was created, version \(Self.newest()).\n")
            let second = try await server("migrate", service)
            #expect(second.status == 0, "\(second)")
            #expect(second.output == "The schema \(schema) is up to date already.\n")
        }
    }

    @Test("a database that a newer version has worked on is refused", arguments: ["migrate", "run"])
    func newer(command: String) async throws {
        try await TestService.with { service in
            _ = try await service.database.pool.query("INSERT INTO schema_version (version, name) VALUES (99, 'from the future')")
            let program = try await server(command, service)
            #expect(program.status == 1)
            #expect(program.output == "")
            let error =
                try "Error: the database has schema version 99, and this server knows versions up to \(Self.newest()): "
                + "run the newer server, or restore a backup\n"
            #expect(program.complaints.hasSuffix(error))
        }
    }

    @Test("tables of somebody else are left alone")
    func foreign() async throws {
        try await TestService.with { service in
            _ = try await service.database.pool.query("DROP TABLE schema_version")
            let program = try await server("migrate", service)
            #expect(program.status == 1)
            #expect(
                program.complaints.hasSuffix(
                    "Error: the schema \"\(service.database.schema)\" has tables but no schema_version: "
                        + "use an empty schema or another database\n"))
        }
    }
}
