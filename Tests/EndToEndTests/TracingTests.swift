import AsyncHTTPClient
import ComposeModel
import ComposeTestKit
import Foundation
import Hummingbird
import NIOCore
import NIOHTTP1
import SystemPackage
import Testing

/// The trace of a compose, as a collector of OpenTelemetry gets it from the processes of a service.
@Suite(.timeLimit(.minutes(5))) struct TracingTests {
    private struct Document: Decodable {
        struct Resource: Decodable { let scopeSpans: [Scope] }
        struct Scope: Decodable { let spans: [Span] }
        let resourceSpans: [Resource]
    }

    private struct Span: Decodable {
        struct Attribute: Decodable {
            struct Value: Decodable { let stringValue: String?, intValue: String? }
            let key: String, value: Value
        }
        struct Link: Decodable { let traceId: String, spanId: String }
        let traceId: String, spanId: String, name: String
        let parentSpanId: String?
        let attributes: [Attribute]
        let links: [Link]

        subscript(key: String) -> String? {
            attributes.first { $0.key == key }.flatMap { $0.value.stringValue ?? $0.value.intValue }
        }
    }

    @Test("the trace of a client has its request, the attempt of the worker and its phases")
    func trace() async throws {
        let (spans, span) = AsyncStream.makeStream(of: Span.self)
        let router = Router()
        router.post("/v1/traces") { request, _ -> Response in
            let body = Data((try await request.body.collect(upTo: 16 << 20)).readableBytesView)
            let document = try JSONDecoder().decode(Document.self, from: body)
            for found in document.resourceSpans.flatMap({ $0.scopeSpans.flatMap(\.spans) }) { span.yield(found) }
            return Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(string: "{}")))
        }
        try await withLocalServer(router) { url in
            let more = """
                tracing: {endpoint: "\(url)", ratio: 0.0, follow_callers: true, statements: true, link: "https://traces.example.org/{trace}"}
                """
            try await TestService.running(more: more) { service, server in
                let (trace, caller) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7")
                let request = #"{"source": {"type": "repo", "source": "\#(Checkout.testsRepo)", "packages": ["ed"]}}"#
                let answer = try await server.http(
                    .POST, "/api/1/composes/", headers: [("traceparent", "00-\(trace)-\(caller)-01")], body: .bytes(Array(request.utf8)))
                #expect(answer.status == 200)
                _ = try await service.await(1, .done, .failed)
                var ofTrace: [Span] = []
                for await span in spans {
                    #expect(span.traceId == trace)
                    ofTrace.append(span)
                    if ofTrace.contains(where: { $0.name == "compose.attempt" }), ofTrace.contains(where: { $0.name.hasPrefix("POST ") }) {
                        break
                    }
                }
                let post = try #require(ofTrace.first { $0.name == "POST /api/1/composes" })
                #expect(post.parentSpanId == caller)
                let attempt = try #require(ofTrace.first { $0.name == "compose.attempt" })
                #expect(attempt.parentSpanId == post.spanId)
                #expect(attempt.links.map(\.spanId) == [post.spanId])
                #expect(attempt["odcs.compose.id"] == "1" && attempt["odcs.source_type"] == "repo" && attempt["odcs.outcome"] == "through")
                let phases = ofTrace.filter { $0.name == "compose.phase" }
                #expect(Set(phases.compactMap { $0["odcs.phase"] }) == ["pin", "fetch", "resolve", "write", "publish"])
                for phase in phases { #expect(phase.parentSpanId == attempt.spanId) }
                let statement = try #require(ofTrace.first { $0["db.query.text"]?.contains("composes") == true })
                #expect(statement["db.system.name"] == "postgresql")
                #expect(ofTrace.contains { $0.spanId == statement.parentSpanId })
                // The lines of the log lead to the trace.
                #expect(server.logged.contains("trace=\(trace)"))
                #expect(ofTrace.allSatisfy { span in !span.attributes.contains { $0.value.stringValue?.contains("libed") == true } })
                let compose = try await server.compose(1)
                let log = try await server.http(.GET, "\(compose.toplevelURL)/pungi-stderr.log").text
                #expect(log.contains("Trace: https://traces.example.org/\(trace)\n"))
            }
        }
    }

    @Test("a collector that answers a page, or none, does not hurt a compose")
    func wrongCollector() async throws {
        let (requests, request) = AsyncStream.makeStream(of: Void.self)
        let router = Router()
        router.post("/v1/traces") { _, _ -> Response in
            request.yield()
            return Response(status: .ok, headers: [.contentType: "text/html"], body: .init(byteBuffer: ByteBuffer(string: "<p>Hello</p>")))
        }
        try await withLocalServer(router) { url in
            try await TestService.running(more: "tracing: {endpoint: \"\(url)\"}") { _, server in
                _ = try await server.compose("repo", Checkout.testsRepo.string, "ed")
                for await _ in requests { break }
                var dropped = 0
                while dropped == 0 {
                    let metrics = try await server.http(.GET, "/api/1/metrics/").text
                    dropped = metrics.firstMatch(of: /\nodcs_spans_dropped_total ([0-9]+)/).flatMap { Int($0.output.1) } ?? 0
                }
            }
        }
    }
}
