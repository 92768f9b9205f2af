import AsyncHTTPClient
import ComposeModel
import ComposeTestKit
import EmbeddedPostgres
import Foundation
import NIOHTTP1
import SystemPackage
import Testing

/// The database goes away while the service runs, and comes back.
@Suite(.timeLimit(.minutes(3))) struct DatabaseAwayTests {
    private static let away = "The database cannot be reached at the moment; please try again in a few seconds."

    /// Runs a service on a cluster of its own.
    private func with(_ body: @escaping @Sendable (EmbeddedPostgres, ServerProcess) async throws -> Void) async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let postgres = EmbeddedPostgres(directory: directory.path.appending("postgresql"), durable: false, logger: .silent)
        let url = try await postgres.start()
        let outcome: Result<Void, any Error>
        do {
            let configuration = directory.path.appending("odcs-server.yaml")
            let text = """
                state_directory: \(directory.path)
                database: {url: "\(url)"}
                frontend: {port: 0}
                sources: {allowed_roots: ["\(Checkout.testsRepo)"]}
                """
            try Data(text.utf8).write(to: URL(filePath: configuration.string))
            try await ServerProcess.with(configuration: configuration) { try await body(postgres, $0) }
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        try await postgres.stop()
        try outcome.get()
    }

    @Test("requests are answered 503 while it is away, and composes are made again when it is back, without a restart")
    func away() async throws {
        try await with { postgres, server in
            let before = try await server.compose("repo", Checkout.testsRepo.string, "libed-data")
            #expect(before.stateName == "done")

            try await postgres.stop()
            let body = "{\"source\": {\"type\": \"repo\", \"source\": \"\(Checkout.testsRepo)\"}}"
            let answers = [
                try await server.post(body), try await server.http(.GET, "/api/1/composes/"),
                try await server.http(.GET, "/api/1/composes/\(before.id)"), try await server.http(.PATCH, "/api/1/composes/\(before.id)"),
                try await server.http(.DELETE, "/api/1/composes/\(before.id)"),
            ]
            for answer in answers {
                #expect(answer.status == 503)
                #expect(answer.headers.first(name: "Retry-After") == "5")
                #expect(answer.text == #"{"error":"Service Unavailable","message":"\#(Self.away)","status":503}"#)
            }
            // What needs no database is there all the same.
            #expect(try await server.http(.GET, "/api/1/about").status == 200)
            #expect(try await server.http(.GET, before.resultRepofile).status == 200)
            #expect(try await server.http(.GET, "/api/1/metrics").text.contains("odcs_database_up 0\n"))

            let command = try await server.odcs("list")
            #expect(command.status == 2)
            #expect(command.output == "")
            #expect(command.complaints == "odcs: \(Self.away) (HTTP 503)\n")

            _ = try await postgres.start()
            let after = try await server.compose("repo", Checkout.testsRepo.string, "ed")
            #expect(after.stateName == "done")
            #expect(try await server.compose(before.id).stateName == "done")
        }
    }

    @Test("a compose under way when it goes away is done when it is back")
    func awayMeanwhile() async throws {
        try await with { postgres, server in
            let submitted = try await server.submit("repo", Checkout.testsRepo.string, "ed")
            try await postgres.stop()
            _ = try await postgres.start()
            let waiting = try await server.odcs("wait", "\(submitted.id)")
            #expect(waiting.status == 0, "\(waiting)")
        }
    }
}
