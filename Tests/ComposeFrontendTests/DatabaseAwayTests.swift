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

/// While the database is away.
@Suite(.timeLimit(.minutes(1))) struct DatabaseAwayTests {
    @Test("everything that needs the database is 503 with a time to try again, and works again afterwards")
    func away() async throws {
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-away-\(UUID().uuidString.prefix(8))")
        let server = EmbeddedPostgres(directory: directory, durable: false, logger: .silent)
        let pool = PostgresPool(configuration: .init(connectionString: try await server.start()), logger: .silent)
        _ = try await Schema.migrate(pool)
        let configuration = FrontendConfiguration(
            targets: [:], admission: Admission(capabilities: .all, places: AllowedPlaces()), version: "1")
        let frontend = ComposeFrontend(configuration: configuration, store: ComposeStore(pool: pool), logger: .silent)
        try await frontend.application(address: .hostname()).test(.router) { client in
            func status(_ method: HTTPRequest.Method, _ uri: String, _ body: String? = nil) async throws -> Answer {
                try await client.execute(uri: uri, method: method, body: body.map { ByteBuffer(string: $0) }) { Answer($0) }
            }
            let body = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#
            #expect(try await status(.post, "/api/1/composes/", body).status == 200)
            try await server.stop()
            for (method, uri) in [
                (HTTPRequest.Method.get, "/api/1/composes/"), (.get, "/api/1/composes/1"), (.post, "/api/1/composes/"),
                (.patch, "/api/1/composes/1"), (.delete, "/api/1/composes/1"), (.get, "/"), (.get, "/api/1/watches/"),
                (.get, "/api/1/watches/1"),
                (.post, "/api/1/watches/"), (.delete, "/api/1/watches/1"),
            ] {
                let body = uri == "/api/1/watches/" ? #"{"source": {"type": "tag", "source": "f26"}}"# : body
                let answer = try await status(method, uri, method == .post ? body : nil)
                #expect(answer.status == 503)
                #expect(answer.headers[.retryAfter] == "5")
                #expect(
                    try answer.message == "The database cannot be reached at the moment; please try again in a few seconds.")
            }
            let metrics = try await status(.get, "/api/1/metrics")
            #expect(metrics.status == 200)
            #expect(metrics.text.contains("odcs_database_up 0\n"))
            #expect(try await status(.get, "/api/1/about").status == 200)
            _ = try await server.start()
            #expect(try await status(.get, "/api/1/composes/1").status == 200)
        }
        try await server.stop()
        try FileManager.default.removeItem(atPath: directory.string)
    }
}
