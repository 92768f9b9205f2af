import ComposeModel
import ComposeStore
import ComposeTestKit
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import ComposeFrontend

/// A POST that comes twice.
@Suite struct IdempotencyTests {
    private static let body = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#

    private static func post(
        _ frontend: FrontendFixture, _ body: String = body, to path: String = "/api/1/composes/", key: String? = nil,
        by owner: String? = nil
    ) async throws -> Answer {
        var headers = HTTPFields()
        headers[IdempotencyKey.fieldName] = key
        headers[.authorization] = owner.map { "Bearer \($0)" }
        return try await frontend.request(.post, path, body, headers: headers)
    }

    @Test("with the same key it is answered with the first compose, however the body is written")
    func sameKey() async throws {
        try await FrontendFixture.with { frontend in
            let first = try await Self.post(frontend, key: "8e03978e")
            #expect(first.status == 200)
            let again = try await Self.post(frontend, #" {"source":{"source":"/srv/repo" ,"type":"repo"},"flags":[]}"#, key: "8e03978e")
            #expect(again.status == 200)
            #expect(again.text == first.text)
            _ = try await frontend.request(.delete, "/api/1/composes/1")
            #expect(try await Self.post(frontend, key: "8e03978e").json["state_name"] == .string("failed"))
            #expect(try await frontend.composesStored == 1)
        }
    }

    @Test("a key that was used for another request is refused, and the compose it stands for is named")
    func otherBody() async throws {
        try await FrontendFixture.with { frontend in
            _ = try await Self.post(frontend, key: "k 1")
            let other = try await Self.post(frontend, #"{"source": {"type": "repo", "source": "/srv/other"}}"#, key: "k 1")
            #expect(other.status == 422)
            #expect(
                try other.json
                    == .object([
                        "status": .integer(422), "error": .string("Unprocessable Content"),
                        "message": .string(
                            #"The Idempotency-Key "k 1" is that of another request, which made compose 1; a new request needs a key of its own."#
                        ),
                    ]))
            #expect(try await frontend.composesStored == 1)
        }
    }

    @Test("many at once with one key make one compose")
    func concurrent() async throws {
        try await FrontendFixture.with(.live) { frontend in
            let ids = try await withThrowingTaskGroup(of: Int?.self) { group in
                for _ in 1...12 {
                    group.addTask { try await Self.post(frontend, key: "k").json["id"]?.integer }
                }
                return try await group.reduce(into: Set<Int?>()) { $0.insert($1) }
            }
            #expect(ids == [1])
            #expect(try await frontend.composesStored == 1)
        }
    }

    @Test("a key belongs to the owner")
    func owners() async throws {
        try await FrontendFixture.with(configure: { $0.access = .named }) { frontend in
            let mine = try await Self.post(frontend, key: "k", by: "me").json["id"]
            let yours = try await Self.post(frontend, key: "k", by: "you").json["id"]
            #expect(mine != yours)
            let again = try await Self.post(frontend, key: "k", by: "you").json["id"]
            #expect(again == yours)
        }
    }

    @Test("a request that is refused leaves its key free")
    func refused() async throws {
        try await FrontendFixture.with { frontend in
            let refused = try await Self.post(frontend, "{}", key: "k")
            #expect(refused.status == 400)
            let accepted = try await Self.post(frontend, key: "k")
            #expect(accepted.status == 200)
        }
    }

    @Test("the first published form has keys as well, also to make a compose again")
    func firstForm() async throws {
        try await FrontendFixture.with { frontend in
            let body = #"{"source_type": "repo", "source": "/srv/repo"}"#
            let first = try await Self.post(frontend, body, to: "/odcs/1/composes", key: "a")
            #expect(try await Self.post(frontend, body, to: "/odcs/1/composes/", key: "a").text == first.text)
            _ = try await frontend.request(.delete, "/api/1/composes/1")
            let again = try await Self.post(frontend, #"{"id": 1}"#, to: "/odcs/1/composes", key: "b")
            #expect(try again.json["id"] == .integer(2))
            #expect(try await Self.post(frontend, #"{"id": 1}"#, to: "/odcs/1/composes", key: "b").text == again.text)
            #expect(try await Self.post(frontend, #"{"id": 1}"#, to: "/odcs/1/composes", key: "a").status == 422)
            #expect(try await frontend.composesStored == 2)
        }
    }

    @Test("without a key, equal POSTs are composes of their own, also of a client who is known")
    func plain() async throws {
        try await FrontendFixture.with(configure: { $0.access = .named }) { frontend in
            for _ in 1...2 { _ = try await Self.post(frontend, by: "me") }
            #expect(try await frontend.composesStored == 2)
        }
    }

    @Test("with a configured window, equal POSTs of a known client are one compose")
    func window() async throws {
        try await FrontendFixture.with(configure: {
            $0.access = .named
            $0.limits.repeatWindow = 3600
        }) { frontend in
            let first = try await Self.post(frontend, by: "me")
            #expect(try await Self.post(frontend, by: "me").text == first.text)
            #expect(try await Self.post(frontend, #"{"source": {"type": "repo", "source": "/srv/b"}}"#, by: "me").json["id"] == .integer(2))
            #expect(try await Self.post(frontend, by: "you").json["id"] == .integer(3))
            #expect(try await Self.post(frontend, key: "on purpose", by: "me").json["id"] == .integer(4))
        }
    }

    @Test("where nobody says who they are, the window means nothing")
    func windowWithoutAuthentication() async throws {
        try await FrontendFixture.with(configure: { $0.limits.repeatWindow = 3600 }) { frontend in
            for _ in 1...2 { _ = try await Self.post(frontend) }
            #expect(try await frontend.composesStored == 2)
        }
    }
}
