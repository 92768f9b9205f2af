import ComposeFrontend
import Foundation
import Logging
import Traces

/// The recording of traces in this process, if a collector is configured.
struct TraceExport {
    private let buffer: SpanBuffer?
    /// Sends the spans. `nil` if none are recorded.
    let exporter: SpanExporter?

    /// Begins to record. Clients of HTTP that are made before have no spans.
    init(_ configuration: ServerConfiguration, logger: Logger) {
        let sink = configuration.tracing.sink(
            environment: ProcessInfo.processInfo.environment, instance: configuration.worker.name, version: Version.current)
        guard let sink else {
            (buffer, exporter) = (nil, nil)
            return
        }
        (buffer, exporter) = configuration.tracing.begin(to: sink, logger: logger)
        logger.notice("traces are recorded", metadata: ["ratio": "\(configuration.tracing.ratio)"])
    }

    var families: [MetricFamily] {
        [
            MetricFamily(
                "odcs_spans_dropped_total", help: "Spans of this process that the collector did not take.", kind: .counter,
                value: Double(buffer?.dropped ?? 0))
        ]
    }
}
