import Foundation
public import Logging
import Tracing

/// The tracing settings say which traces are recorded, and where they go.
public struct TracingSettings: Hashable, Sendable {
    /// The address of the collector, to which `/v1/traces` is added. Example:
    /// `http://localhost:4318`. `nil` means that of the environment.
    public var endpoint: String?
    /// The part of traces that are recorded, from 0 to 1.
    public var ratio: Double
    /// Whether a caller that has a trace decides if it is recorded.
    public var followsCallers: Bool
    /// Whether statements of the database within a span have spans of their own.
    public var tracesStatements: Bool
    /// Headers of the requests to the collector.
    public var headers: [String: String]
    /// The address of a page that shows a trace, with `{trace}` for its id.
    public var link: String?

    public init(
        endpoint: String? = nil, ratio: Double = 1, followsCallers: Bool = false, tracesStatements: Bool = false,
        headers: [String: String] = [:], link: String? = nil
    ) {
        self.endpoint = endpoint
        self.ratio = ratio
        self.followsCallers = followsCallers
        self.tracesStatements = tracesStatements
        self.headers = headers
        self.link = link
    }

    /// Returns where spans go. `nil` if neither the settings nor the environment name a collector.
    ///
    /// - Parameter environment: Variables as OpenTelemetry defines them. They count where a setting is
    ///   empty.
    public func sink(environment: [String: String], instance: String, version: String) -> SpanExporter.Sink? {
        func variable(_ name: String) -> String? { environment["OTEL_\(name)"].flatMap { $0.isEmpty ? nil : $0 } }
        let base = { (url: String) in (url.hasSuffix("/") ? String(url.dropLast()) : url) + "/v1/traces" }
        let url =
            endpoint.map(base) ?? variable("EXPORTER_OTLP_TRACES_ENDPOINT") ?? variable("EXPORTER_OTLP_ENDPOINT").map(base)
        guard let url, variable("SDK_DISABLED") != "true" else { return nil }
        let named = variable("EXPORTER_OTLP_TRACES_HEADERS") ?? variable("EXPORTER_OTLP_HEADERS") ?? ""
        return SpanExporter.Sink(
            url: url, headers: headers.isEmpty ? Self.headers(named) : headers, service: variable("SERVICE_NAME") ?? "odcs",
            instance: instance, version: version)
    }

    /// Returns the headers in a variable. Example: `api-key=secret,tenant=a%20b`.
    static func headers(_ text: String) -> [String: String] {
        var headers: [String: String] = [:]
        for part in text.split(separator: ",") {
            let words = part.split(separator: "=", maxSplits: 1)
            guard words.count == 2 else { continue }
            let name = words[0].trimmingCharacters(in: .whitespaces)
            headers[name] = words[1].trimmingCharacters(in: .whitespaces).removingPercentEncoding ?? ""
        }
        return headers
    }

    /// Begins to record the spans of the process. Clients of HTTP that are made before have none.
    ///
    /// - Returns: The buffer of the spans, and the service that sends them.
    public func begin(to sink: SpanExporter.Sink, logger: Logger) -> (buffer: SpanBuffer, exporter: SpanExporter) {
        let buffer = SpanBuffer()
        InstrumentationSystem.bootstrap(ServiceTracer(buffer, ratio: ratio, followsCallers: followsCallers))
        return (buffer, SpanExporter(buffer, to: sink, logger: logger))
    }
}
