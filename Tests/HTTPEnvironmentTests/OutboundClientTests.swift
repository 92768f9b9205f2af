import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Testing

@testable import HTTPEnvironment

@Suite("Requests on their way")
struct OutboundClientTests {
    private func get(_ url: String, _ variables: [String: String]) async throws -> String {
        let client = OutboundClient(HTTPClient.Configuration(), environment: HTTPEnvironment(variables))
        let response = try await client.execute(HTTPClientRequest(url: url), timeout: .seconds(30))
        let body = try await response.body.collect(upTo: 1000)
        try await client.shutdown()
        return "\(response.status.code) \(String(buffer: body))"
    }

    @Test("A plain request is handed to the proxy with its whole address and the proxy's password")
    func forwarded() async throws {
        try await TestProxy.with { proxy in
            let answer = try await get("http://mirror.test:8080/a%20b?x=1", ["http_proxy": "http://me:s3cret@\(proxy.authority)"])
            #expect(answer == "200 here")
            let head = try #require(proxy.requests.first).split(separator: "\r\n").map { $0.lowercased() }
            #expect(head.first == "get http://mirror.test:8080/a%20b?x=1 http/1.1")
            #expect(head.contains("host: mirror.test:8080"))
            #expect(head.contains("proxy-authorization: basic bwu6cznjcmv0"))
        }
    }

    @Test("TLS goes through a tunnel, and is checked against the certificates that the environment names")
    func tunnel() async throws {
        try await TestProxy.with { proxy in
            let way = ["https_proxy": "http://me:s3cret@\(proxy.authority)"]
            let answer = try await get("https://mirror.test/x", way.merging(["SSL_CERT_FILE": TestProxy.certificate]) { $1 })
            #expect(answer == "200 here")
            #expect(proxy.requests.map { $0.prefix { $0 != "\r\n" } } == ["CONNECT mirror.test:443 HTTP/1.1", "GET /x HTTP/1.1"])
            #expect(!proxy.requests[1].lowercased().contains("proxy-authorization"))

            await #expect(throws: (any Error).self) { try await get("https://mirror.test/x", way) }
        }
    }

    @Test("What no_proxy lists, and this host, is asked directly")
    func direct() async throws {
        try await TestProxy.with { server in
            let answer = try await get("http://\(server.authority)/x", ["all_proxy": "http://proxy.invalid:1"])
            #expect(answer == "200 here")
            #expect(server.requests.first?.hasPrefix("GET /x HTTP/1.1\r\n") == true)
        }
    }

    @Test("A proxy that asks for a password is named, without one", arguments: ["http", "https"])
    func refusal(_ scheme: String) async throws {
        try await TestProxy.with(.refuse) { proxy in
            let problem = await #expect(throws: OutboundProblem.self) {
                try await get("\(scheme)://mirror.test/", ["\(scheme)_proxy": "http://me:s3cret@\(proxy.authority)"])
            }
            #expect(
                problem?.description
                    == "the proxy http://\(proxy.authority), which the variable \(scheme)_proxy names, asks for a user and password, "
                    + "as in http://user:password@host:port")
        }
    }

    @Test("A proxy that is not there is named", arguments: ["http", "https"])
    func absent(_ scheme: String) async throws {
        // The port was bound a moment ago, and is free again.
        let authority = try await TestProxy.with { $0.authority }
        let problem = await #expect(throws: OutboundProblem.self) {
            var configuration = HTTPClient.Configuration()
            configuration.connectionPool.retryConnectionEstablishment = false
            let client = OutboundClient(configuration, environment: HTTPEnvironment(["all_proxy": authority]))
            _ = try await client.execute(HTTPClientRequest(url: "\(scheme)://mirror.test/"), timeout: .seconds(30))
        }
        #expect(problem?.isPassing == true)
        #expect(
            problem?.description == "the proxy http://\(authority), which the variable all_proxy names, does not accept connections")
    }
}
