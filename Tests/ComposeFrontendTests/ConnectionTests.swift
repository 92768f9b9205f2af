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
                "POST /api/1/composes/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 104857600\r\n\r\n", in: frontend)
            #expect(answer.hasPrefix("HTTP/1.1 413 "))
            #expect(answer.hasSuffix(#""message":"The body is too large; at most 1048576 bytes are read.","status":413}"#))
        }
    }

    @Test("a body in chunks is refused once it is too long")
    func longChunks() async throws {
        try await FrontendFixture.with(.live, configure: { $0.bodyLimit = 100 }) { frontend async throws in
            let chunk = "40\r\n\(String(repeating: " ", count: 64))\r\n"
            let answer = try await exchange(
                "POST /api/1/composes/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\(chunk)\(chunk)",
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

    @Test(
        "a request that hides in another one is not answered, however the length of that one is written",
        arguments: [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
            "Content-Length: 0\r\nTransfer-Encoding : chunked\r\n\r\n", "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nzz\r\n0\r\n\r\n",
            "Transfer-Encoding: chunked\r\n\r\n-1\r\n0\r\n\r\n", "Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
            "Content-Length: -1\r\n\r\n", "Content-Length: 0x0\r\n\r\n", "Content-Length: 18446744073709551616\r\n\r\n",
        ])
    func smuggled(_ length: String) async throws {
        let proxy = TrustedProxy(addresses: ["127.0.0.1"].compactMap(AddressRange.init))
        try await FrontendFixture.with(
            .live,
            configure: {
                $0.requestSeconds = 1
                $0.access = AccessControl(chain: IdentityChain([ProxyProvider(proxy)]), proxy: proxy)
            }
        ) { frontend in
            // The proxy has removed the header of the request that it has seen.
            let hidden = "GET /api/1/me HTTP/1.1\r\nHost: localhost\r\nX-Remote-User: root\r\nConnection: close\r\n\r\n"
            #expect(try await exchange(hidden, in: frontend).contains(#""account":"root""#))
            let answer = try await exchange("POST /api/1/composes/ HTTP/1.1\r\nHost: localhost\r\n\(length)\(hidden)", in: frontend)
            #expect(!answer.contains("root") && !answer.contains("HTTP/1.1 200"), "\(answer)")
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

    @Test(
        "the connection is closed after an answer if the client says so, in any spelling, or speaks HTTP/1.0",
        arguments: ["1.1\r\nHost: localhost\r\nConnection: Close", "1.1\r\nHost: localhost\r\nConnection: TE, CLOSE", "1.0"])
    func closing(_ version: String) async throws {
        try await FrontendFixture.with(.live) { frontend in
            let answer = try await exchange("GET /api/1/about/ HTTP/\(version)\r\n\r\n", in: frontend)
            #expect(answer.hasPrefix("HTTP/1.1 200 "))
            #expect(answer.lowercased().contains("connection: close\r\n"))
            #expect(answer.hasSuffix("}"))
        }
    }

    @Test("a client that waits with the body until it is asked for it is asked, and one whose body is too long is refused")
    func expectation() async throws {
        try await FrontendFixture.with(.live) { frontend in
            let body = #"{"source": {"type": "repo", "source": "/srv/repo"}}"#
            let head = "POST /api/1/composes/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-Continue\r\n"
            let answer = try await RawConnection.exchange(
                head + "Content-Length: \(body.utf8.count)\r\n\r\n", then: body, after: "HTTP/1.1 100 Continue\r\n\r\n",
                port: try #require(frontend.client.port))
            #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
            let refusal = try await exchange(head + "Content-Length: 99999999\r\n\r\n", in: frontend)
            #expect(refusal.hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test("a connection whose body does not come in time is closed")
    func slowBody() async throws {
        try await FrontendFixture.with(.live, configure: { $0.requestSeconds = 1 }) { frontend async throws in
            let answer = try await exchange(
                "POST /api/1/composes/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{", in: frontend)
            #expect(!answer.hasPrefix("HTTP/1.1 200"))
            #expect(try await frontend.composesStored == 0)
        }
    }

    @Test("connections that send nothing make room for others, the oldest first")
    func eviction() async throws {
        try await FrontendFixture.with(.live, configure: { $0.maximumConnections = 4 }) { frontend async throws in
            let port = try #require(frontend.client.port)
            try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<12 { group.addTask { try await RawConnection.exchange("GET / HTTP/1.1\r\nHost: local", port: port) } }
                // At least those that there is no room for end, without an answer.
                for _ in 0..<8 { #expect(try await group.next() == "") }
                let answer = try await RawConnection.exchange(
                    "GET /api/1/about/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", port: port)
                #expect(answer.hasPrefix("HTTP/1.1 200 "))
                group.cancelAll()
            }
        }
    }

    @Test("a header that takes very long to compare ends the connection")
    func markedHeader() async throws {
        try await FrontendFixture.with(.live) { frontend in
            let marks = String(repeating: "\u{0301}\u{0323}", count: 5000)
            let answer = try await exchange("GET / HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"a\(marks)\"\r\n\r\n", in: frontend)
            #expect(answer.hasPrefix("HTTP/1.1 400 "))
        }
    }
}
