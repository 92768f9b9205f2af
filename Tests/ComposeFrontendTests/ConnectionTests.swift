import HTTPTypes
import HummingbirdTesting
import Testing

@testable import ComposeFrontend

/// What only a real connection shows.
@Suite(.timeLimit(.minutes(1))) struct ConnectionTests {
    private func exchange(_ text: String, in frontend: FrontendFixture) async throws -> String {
        try await RawConnection.exchange(text, port: try #require(frontend.client.port))
    }

    @Test("a body that says it is too long is refused before any of it is sent")
    func longBody() async throws {
        try await FrontendFixture.with(.live) { frontend in
            let answer = try await exchange(
                "POST /api/1/composes/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 104857600\r\n\r\n", in: frontend)
            #expect(answer.hasPrefix("HTTP/1.1 413 "))
            #expect(answer.hasSuffix(#""message":"The body is too large; at most 1048576 bytes are read.","status":413}"#))
        }
    }

    @Test("a body in chunks is refused once it is too long")
    func longChunks() async throws {
        try await FrontendFixture.with(.live, configure: { $0.bodyLimit = 100 }) { frontend async throws in
            let chunk = "40\r\n\(String(repeating: " ", count: 64))\r\n"
            let answer = try await exchange(
                "POST /api/1/composes/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)\(chunk)",
                in: frontend)
            #expect(answer.hasPrefix("HTTP/1.1 413 "))
            #expect(try await frontend.composesStored == 0)
        }
    }

    @Test("the connection stays usable after a body that was refused")
    func afterRefusal() async throws {
        try await FrontendFixture.with(.live, configure: { $0.bodyLimit = 100 }) { frontend async throws in
            #expect(try await frontend.post(String(repeating: " ", count: 5000)).status == 413)
            #expect(try await frontend.post(#"{"source": {"type": "repo", "source": "/srv/repo"}}"#).status == 200)
        }
    }

    @Test("a host that is no host's name does not get into the answer")
    func badHost() async throws {
        try await FrontendFixture.with(.live, configure: { $0.serverURL = "" }) { frontend async throws in
            func first(host: String) async throws -> String {
                let answer = try await exchange("GET /api/1/composes HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n", in: frontend)
                return String(answer.split(separator: "\"first\":\"")[1].prefix { $0 != "\"" })
            }
            #expect(try await first(host: "odcs.example.com:8080") == "http://odcs.example.com:8080/api/1/composes/?page=1&per_page=10")
            #expect(try await first(host: "evil/<script>") == "http://localhost/api/1/composes/?page=1&per_page=10")
        }
    }
}
