import ComposeModel
import ComposeStore
import ComposeTestKit
import HTTPTypes
import Hummingbird
import InMemoryLogging
import Logging
import Postgres
import Testing

@testable import ComposeFrontend

/// What the log says of a request, and what the answer does not.
@Suite struct LogTests {
    private let log = InMemoryLogHandler()
    private var logger: Logger { Logger(label: "test") { _ in log } }

    @Test("a request is one line, with the route and the compose that it was about")
    func line() async throws {
        try await FrontendFixture.with(logger: logger) { frontend in
            _ = try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo"}}"#)
            _ = try await frontend.get("/api/1/composes/7/?x=y")
            let lines = log.entries.filter { $0.message == "request answered" }
            #expect(lines.count == 2)
            #expect(lines.map { $0.metadata["compose"] } == ["1", "7"])
            #expect(lines.map { $0.metadata["method"] } == ["POST", "GET"])
            #expect(lines.map { $0.metadata["route"] } == ["/api/1/composes", "/api/1/composes/{id}"])
            #expect(lines.map { $0.metadata["status"] } == ["200", "404"])
            #expect(lines.allSatisfy { $0.metadata["duration_ms"] != nil && $0.metadata["hb.request.id"] != nil })
        }
    }

    @Test("the line of a request about a watch has the watch's number")
    func watch() async throws {
        try await FrontendFixture.with(logger: logger, configure: { $0.admission.capabilities = .all }) { frontend in
            _ = try await frontend.post(#"{"source": {"type": "tag", "source": "f26"}}"#, to: "/api/1/watches/")
            _ = try await frontend.get("/api/1/watches/7")
            let lines = log.entries.filter { $0.message == "request answered" }
            #expect(lines.map { $0.metadata["watch"] } == ["1", "7"])
            #expect(lines.allSatisfy { $0.metadata["compose"] == nil })
        }
    }

    @Test("what goes wrong inside is told to the log, and the answer names only where to look for it")
    func internalError() async throws {
        try await FrontendFixture.with(logger: logger) { frontend in
            _ = try await frontend.database.pool.query("ALTER TABLE composes RENAME TO hunter2")
            let answer = try await frontend.get("/api/1/composes/")
            #expect(answer.status == 500)
            let entry = try #require(log.entries.first { $0.message == "request failed" })
            #expect("\(entry.metadata["error"] ?? "")".contains("composes"))
            let id = try #require(entry.metadata["hb.request.id"])
            let message = try answer.message
            #expect(message == "Something went wrong in the server; its log says what, under the request id \(id).")
        }
    }

    @Test("the line has the sender and its provider, and no part of its credentials")
    func sender() async throws {
        try await FrontendFixture.with(logger: logger, configure: { $0.access = .named }) { frontend in
            _ = try await frontend.by("me").get("/api/1/about/")
            _ = try await frontend.get("/api/1/about/")
            let lines = log.entries.filter { $0.message == "request answered" }
            #expect(lines.map { $0.metadata["sender"] } == ["me", nil])
            #expect(lines.map { $0.metadata["provider"] } == ["named", nil])
            #expect(!lines.contains { "\($0)".contains("Bearer") })
        }
    }
}
