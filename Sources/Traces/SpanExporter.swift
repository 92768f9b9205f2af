import AsyncHTTPClient
import ForeignText
import Foundation
import HTTPEnvironment
public import Logging
import NIOCore
import NIOHTTP1
import Retries
public import ServiceLifecycle
import Synchronization

/// A span exporter sends the spans of a buffer to a sink, by OTLP over HTTP with JSON.
///
/// A sink that is away, slow or wrong costs spans and nothing else. The buffer is bounded, one
/// request is under way at a time, and each has a time limit.
public struct SpanExporter: Service {
    /// Where the spans go.
    public struct Sink: Hashable, Sendable {
        /// The address that spans are posted to. Example: `http://localhost:4318/v1/traces`.
        public var url: String
        public var headers: [String: String]
        /// The value of `service.name`.
        public var service: String
        /// The value of `service.instance.id`.
        public var instance: String
        public var version: String

        public init(url: String, headers: [String: String], service: String, instance: String, version: String) {
            self.url = url
            self.headers = headers
            self.service = service
            self.instance = instance
            self.version = version
        }
    }

    private static let batch = 512
    private static let patience = Duration.seconds(10)
    /// The time for the last spans at the end of the process.
    private static let farewell = Duration.seconds(2)
    private static let backoff = Backoff(first: .seconds(5), longest: .seconds(60))
    /// The time between two lines of the log about a sink that does not take spans.
    private static let logPause = Duration.seconds(60)

    private let buffer: SpanBuffer
    private let sink: Sink
    private let client: OutboundClient
    private let logger: Logger
    private let interval: Duration

    public init(_ buffer: SpanBuffer, to sink: Sink, every interval: Duration = .seconds(5), logger: Logger) {
        self.buffer = buffer
        self.sink = sink
        self.interval = interval
        self.logger = logger
        var configuration = HTTPClient.Configuration()
        // The requests of the exporter must have no spans: each would bring another request.
        configuration.tracing.tracer = nil
        configuration.timeout = .init(connect: TimeAmount(Self.patience), read: TimeAmount(Self.patience))
        client = OutboundClient(configuration)
    }

    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var failures = 0
            var lastLine: ContinuousClock.Instant?
            // The sleep fails only if the task is canceled.
            while (try? await Task.sleep(for: failures == 0 ? interval : Self.backoff.pause(after: failures))) != nil {
                guard let problem = await exportAll(within: Self.patience) else {
                    failures = 0
                    continue
                }
                failures += 1
                if let last = lastLine, ContinuousClock.now - last < Self.logPause { continue }
                lastLine = .now
                logger.warning("spans cannot be sent", metadata: ["problem": "\(problem)", "dropped": "\(buffer.dropped)"])
            }
        }
        // A task of its own is not canceled.
        _ = await Task { await exportAll(within: Self.farewell) }.value
        try await client.shutdown()
    }

    /// Sends what the buffer holds.
    ///
    /// - Returns: Why the sink did not take it. `nil` if it did.
    private func exportAll(within patience: Duration) async -> String? {
        while true {
            let spans = buffer.take(Self.batch)
            if spans.isEmpty { return nil }
            switch await export(spans, within: patience) {
            case .taken(let refused): buffer.drop(refused)
            case .later(let problem):
                buffer.putBack(spans)
                return problem
            case .never(let problem):
                buffer.drop(spans.count)
                return problem
            }
            if spans.count < Self.batch { return nil }
        }
    }

    private enum Outcome {
        /// The sink took all spans but some.
        case taken(refused: Int)
        case later(String)
        case never(String)
    }

    private func export(_ spans: [ExportedSpan], within patience: Duration) async -> Outcome {
        let document = TraceDocument(spans, service: sink.service, instance: sink.instance, version: sink.version)
        guard let body = try? JSONEncoder().encode(document) else { return .never("The spans have no JSON.") }
        var request = HTTPClientRequest(url: sink.url)
        request.method = .POST
        for (name, value) in sink.headers { request.headers.add(name: name, value: value) }
        request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await client.execute(request, timeout: TimeAmount(patience))
            let answer = try await response.body.collect(upTo: 64 << 10)
            return outcome(Int(response.status.code), response.headers.first(name: "Content-Type") ?? "", Data(answer.readableBytesView))
        } catch {
            return .later("It \(NetworkProblem(error).words(answering: patience)).")
        }
    }

    private func outcome(_ status: Int, _ type: String, _ body: Data) -> Outcome {
        switch status {
        case 200..<300:
            guard body.isEmpty || type.lowercased().hasPrefix("application/json") else {
                return .never("It answered \(type.printable(most: 60)), so it is no sink of OTLP with JSON.")
            }
            return .taken(refused: min(PartialSuccess.refused(in: body), Self.batch))
        case 429, 502, 503, 504: return .later("It answered \(status).")
        default: return .never("It answered \(status).")
        }
    }
}

/// The answer of a sink that took only some spans.
private struct PartialSuccess: Decodable {
    struct Part: Decodable {
        /// A number, or a text as of a 64-bit number.
        let rejectedSpans: Int

        enum CodingKeys: CodingKey { case rejectedSpans }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            if let text = try? container.decode(String.self, forKey: .rejectedSpans) {
                rejectedSpans = Int(text) ?? 0
            } else {
                rejectedSpans = try container.decodeIfPresent(Int.self, forKey: .rejectedSpans) ?? 0
            }
        }
    }

    let partialSuccess: Part?

    /// Returns the number of spans that the sink refused. An answer that is not OTLP refuses
    /// no span.
    static func refused(in body: Data) -> Int {
        max(0, (try? JSONDecoder().decode(PartialSuccess.self, from: body))?.partialSuccess?.rejectedSpans ?? 0)
    }
}
