import HTTPTypes
import HummingbirdTesting
import Testing

@testable import ComposeFrontend

/// Requests that a page of another site has a browser send.
@Suite(.timeLimit(.minutes(1))) struct CrossSiteTests {
    private static let body = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#
    private static let site = HTTPField.Name("Sec-Fetch-Site")!

    @Test(
        "what would change something is refused if a page of another site sent it",
        arguments: [
            [.origin: "https://stranger.example"], [.origin: "null"], [site: "cross-site"],
            [.origin: "https://odcs.example.com.stranger.example"], [.origin: "https://odcs.example.com:8443"],
        ] as [HTTPFields])
    func strangers(_ headers: HTTPFields) async throws {
        try await FrontendFixture.with { frontend in
            for (method, path) in [
                (.post, "/api/1/composes/"), (.post, "/odcs/1/composes"), (.post, "/api/1/watches/"), (.patch, "/api/1/composes/1"),
                (.delete, "/api/1/composes/1"), (.delete, "/api/1/watches/1"),
            ] as [(HTTPRequest.Method, String)] {
                let answer = try await frontend.request(method, path, Self.body, headers: headers)
                #expect(answer.status == 403, "\(method) \(path)")
                let message = try #require(try answer.message)
                #expect(message.contains("another site") || message.contains("only pages of this service"))
            }
            #expect(try await frontend.get("/api/1/composes/", headers: headers).status == 200)
            #expect(try await frontend.composesStored == 0)
        }
    }

    @Test(
        "programs and the service's own pages may, whatever Content-Type they name",
        arguments: [
            [:], [.contentType: "text/plain"], [.origin: "https://odcs.example.com", site: "same-origin"],
            [.origin: "https://ODCS.example.com:443"], [site: "none"],
        ] as [HTTPFields])
    func own(_ headers: HTTPFields) async throws {
        try await FrontendFixture.with { frontend in
            let answer = try await frontend.request(.post, "/api/1/composes/", Self.body, headers: headers)
            #expect(answer.status == 200)
        }
    }

    private func status(host: String, origin: String? = nil, in frontend: FrontendFixture) async throws -> Substring {
        let origin = origin.map { "Origin: \($0)\r\n" } ?? ""
        let answer = try await RawConnection.exchange(
            "POST /api/1/composes/ HTTP/1.1\r\nHost: \(host)\r\n\(origin)Connection: close\r\nContent-Length: \(Self.body.utf8.count)\r\n\r\n\(Self.body)",
            port: try #require(frontend.client.port))
        return answer.dropFirst("HTTP/1.1 ".count).prefix(3)
    }

    @Test("with a configured address, a host is refused that it does not name and that is no address")
    func hosts() async throws {
        try await FrontendFixture.with(.live) { frontend async throws in
            for host in ["odcs.example.com", "ODCS.example.com:443", "127.0.0.1:5005", "[::1]:5005", "192.0.2.7", "localhost:5005"] {
                #expect(try await status(host: host, in: frontend) == "200", "\(host)")
            }
            for host in ["stranger.example", "odcs.example.com.stranger.example", "1.stranger.example"] {
                #expect(try await status(host: host, in: frontend) == "403", "\(host)")
                #expect(try await status(host: host, origin: "http://\(host)", in: frontend) == "403", "\(host)")
            }
        }
    }

    @Test("without a configured address, pages of the host that is asked for may, and no others")
    func anyHost() async throws {
        try await FrontendFixture.with(.live, configure: { $0.serverURL = "" }) { frontend async throws in
            #expect(try await status(host: "odcs:8080", origin: "http://odcs:8080", in: frontend) == "200")
            #expect(try await status(host: "odcs:8080", origin: "http://odcs:8081", in: frontend) == "403")
        }
    }
}
