import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization
import Testing
import TraceContext
import Tracing

@testable import Traces

/// What a collector gets, and what happens if it does not take it.
@Suite(.timeLimit(.minutes(2))) struct SpanExporterTests {
    /// A collector whose answers a test chooses.
    private struct Collector {
        let url: String
        /// The bodies of all requests.
        let requests: AsyncStream<Data>

        static func with(
            _ answer: @escaping @Sendable (Int) -> Response, _ body: @escaping @Sendable (Collector) async throws -> Void
        ) async throws {
            let (requests, request) = AsyncStream.makeStream(of: Data.self)
            let count = Mutex(0)
            let router = Router()
            router.post("/v1/traces") { received, _ -> Response in
                let bytes = Data((try await received.body.collect(upTo: 16 << 20)).readableBytesView)
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                defer { request.yield(bytes) }
                return answer(number)
            }
            let (ports, port) = AsyncStream.makeStream(of: Int.self)
            let application = Application(
                router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
                onServerRunning: { port.yield($0.localAddress?.port ?? 0) }, logger: Logger(label: "collector"))
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await application.run() }
                for await port in ports {
                    try await body(Collector(url: "http://127.0.0.1:\(port)/v1/traces", requests: requests))
                    break
                }
                group.cancelAll()
            }
        }
    }

    private static func exporter(_ buffer: SpanBuffer, _ url: String) -> SpanExporter {
        let sink = SpanExporter.Sink(url: url, headers: ["X-Key": "secret"], service: "odcs", instance: "here", version: "1")
        return SpanExporter(buffer, to: sink, every: .milliseconds(10), logger: Logger(label: "test"))
    }

    private static func run(_ exporter: SpanExporter, _ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let services = ServiceGroup(configuration: .init(services: [.init(service: exporter)], logger: Logger(label: "test")))
                try await withTaskCancellationHandler {
                    try await services.run()
                } onCancel: {
                    Task { await services.triggerGracefulShutdown() }
                }
            }
            try await body()
            group.cancelAll()
        }
    }

    private static func record(_ count: Int, in buffer: SpanBuffer) {
        let tracer = ServiceTracer(buffer, ratio: 1)
        for _ in 0..<count { tracer.withSpan("compose.phase", context: .topLevel) { $0.attributes["odcs.phase"] = "pin" } }
    }

    private struct Document: Decodable {
        struct Resource: Decodable { let scopeSpans: [Scope] }
        struct Scope: Decodable { let spans: [Span] }
        struct Span: Decodable { let traceId: String, spanId: String, name: String, startTimeUnixNano: String, kind: Int }
        let resourceSpans: [Resource]
        var spans: [Span] { resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) } }
    }

    @Test("the body of a request is that of OTLP with JSON")
    func document() throws {
        let parent = try #require(TraceParent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"))
        let span = ExportedSpan(
            identity: parent, parent: "a1b2c3d4e5f60718", name: "POST /api/1/composes", kind: .server, begin: 1_764_530_000_000_000_001,
            end: 1_764_530_000_500_000_001, attributes: ["http.response.status_code": .number(500), "ok": .truth(false)],
            events: [.init(name: "exception", nanoseconds: 5, attributes: ["exception.type": .text("Away")])],
            links: [parent], failure: "It is away.", isError: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(TraceDocument([span], service: "odcs", instance: "w", version: "1")), as: UTF8.self)
        let expected = """
            {"resourceSpans":[{"resource":{"attributes":[{"key":"service.instance.id","value":{"stringValue":"w"}},\
            {"key":"service.name","value":{"stringValue":"odcs"}},{"key":"service.version","value":{"stringValue":"1"}}]},\
            "scopeSpans":[{"scope":{"name":"odcs","version":"1"},"spans":[{"attributes":[{"key":"http.response.status_code",\
            "value":{"intValue":"500"}},{"key":"ok","value":{"boolValue":false}}],"endTimeUnixNano":"1764530000500000001",\
            "events":[{"attributes":[{"key":"exception.type","value":{"stringValue":"Away"}}],"name":"exception","timeUnixNano":"5"}],\
            "flags":1,"kind":2,"links":[{"spanId":"00f067aa0ba902b7","traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}],\
            "name":"POST /api/1/composes","parentSpanId":"a1b2c3d4e5f60718","spanId":"00f067aa0ba902b7",\
            "startTimeUnixNano":"1764530000000000001","status":{"code":2,"message":"It is away."},\
            "traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}]}]}]}
            """
        #expect(text == expected)
    }

    @Test("a collector gets every span once, and the last ones at the end of the process")
    func taken() async throws {
        try await Collector.with { _ in
            Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: .init(string: "{}")))
        } _: { collector in
            let buffer = SpanBuffer()
            Self.record(1000, in: buffer)
            let seen = Mutex<Set<String>>([])
            try await Self.run(Self.exporter(buffer, collector.url)) {
                for await body in collector.requests {
                    let spans = try JSONDecoder().decode(Document.self, from: body).spans
                    for span in spans { #expect(span.traceId.utf8.count == 32 && span.spanId.utf8.count == 16 && span.kind == 1) }
                    let count = seen.withLock { seen in
                        seen.formUnion(spans.map(\.spanId))
                        return seen.count
                    }
                    if count == 1000 { break }
                }
            }
            #expect(buffer.dropped == 0)
        }
    }

    @Test("a collector that is overloaded gets the same spans again, and one that answers a page loses them", arguments: [true, false])
    func refused(isPage: Bool) async throws {
        try await Collector.with { number in
            if isPage { return Response(status: .ok, headers: [.contentType: "text/html"], body: .init(byteBuffer: .init(string: "<p>"))) }
            return Response(status: .serviceUnavailable)
        } _: { collector in
            let buffer = SpanBuffer()
            Self.record(5, in: buffer)
            try await Self.run(Self.exporter(buffer, collector.url)) {
                for await _ in collector.requests { break }
                while isPage, buffer.dropped < 5 { await Task.yield() }
            }
            if !isPage {
                #expect(buffer.dropped == 0)
                #expect(buffer.take(10).count == 5)
            }
        }
    }

    @Test("a collector that is away costs nothing but spans, and the process ends")
    func away() async throws {
        let buffer = SpanBuffer()
        Self.record(SpanBuffer.room + 1, in: buffer)
        // Nothing listens at this port.
        try await Self.run(Self.exporter(buffer, "http://127.0.0.1:1/v1/traces")) {
            Self.record(10, in: buffer)
        }
        #expect(buffer.dropped >= 11)
    }

    @Test("settings come before the variables of OpenTelemetry")
    func settings() {
        let environment = [
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a.example:4318/", "OTEL_EXPORTER_OTLP_HEADERS": "api-key=s%20t,tenant=b",
            "OTEL_SERVICE_NAME": "composes",
        ]
        var settings = TracingSettings()
        let sink = settings.sink(environment: environment, instance: "i", version: "1")
        #expect(sink?.url == "http://a.example:4318/v1/traces" && sink?.service == "composes")
        #expect(sink?.headers == ["api-key": "s t", "tenant": "b"])
        settings.endpoint = "http://b.example"
        settings.headers = ["X": "y"]
        #expect(settings.sink(environment: environment, instance: "i", version: "1")?.url == "http://b.example/v1/traces")
        #expect(settings.sink(environment: environment, instance: "i", version: "1")?.headers == ["X": "y"])
        #expect(TracingSettings().sink(environment: [:], instance: "i", version: "1") == nil)
        #expect(settings.sink(environment: ["OTEL_SDK_DISABLED": "true"], instance: "i", version: "1") == nil)
    }
}
