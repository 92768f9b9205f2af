import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// Processes of one service that share the PostgreSQL of its state directory.
@Suite(.timeLimit(.minutes(10)))
struct SharedDatabaseTests {
    @Test("a worker, a publisher and a command that end do not take the database with them")
    func ends() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let configuration = directory.path.appending("odcs.yaml")
        // Nothing listens at the broker.
        let text = """
            state_directory: \(directory.path)
            frontend: {port: 0, public_url: "http://odcs.example.org"}
            events: {subscribers: {kafka: {kind: kafka, brokers: ["127.0.0.1:9"], topic: odcs, tls: false}}}
            """
        try Data(text.utf8).write(to: URL(filePath: configuration.string))
        // A command needs no server.
        try await Program.succeed(Program.own("odcs-server"), "audit", "--config", configuration.string)
        try await ServerProcess.with("frontend", configuration: configuration) { frontend in
            @Sendable func expectReady() async throws {
                let status = try await frontend.http(.GET, "/readyz").status
                #expect(status == 200)
            }
            try await ServerProcess.with("worker", configuration: configuration) { _ in try await expectReady() }
            try await expectReady()
            try await ServerProcess.with(configuration: configuration, program: Program.own("odcs-publisher")) { _ in
                try await expectReady()
            }
            try await expectReady()
            try await Program.succeed(Program.own("odcs-server"), "audit", "--config", configuration.string)
            try await expectReady()
        }
    }

    @Test("a second server on one state directory is refused, and the first one keeps its database")
    func secondServer() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let configuration = directory.path.appending("odcs.yaml")
        try Data("state_directory: \(directory.path)\nfrontend: {port: 0}\n".utf8).write(to: URL(filePath: configuration.string))
        try await ServerProcess.with(configuration: configuration) { first in
            for role in ["run", "frontend"] {
                let second = try await Program.run([Program.own("odcs-server"), role, "--config", configuration.string])
                #expect(second.status == 1)
                #expect(
                    second.complaints.contains(
                        "Error: another process runs the PostgreSQL in \(directory.path)/postgresql, and stops it at its end. Without "
                            + "database.url, only one odcs-server run or odcs-server frontend can use a state directory. "))
            }
            let status = try await first.http(.GET, "/readyz").status
            #expect(status == 200)
        }
        // When the first one has ended, nothing is in the way.
        try await ServerProcess.with(configuration: configuration) { second in
            let status = try await second.http(.GET, "/readyz").status
            #expect(status == 200)
        }
    }
}
