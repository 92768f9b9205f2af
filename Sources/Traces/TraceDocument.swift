import Foundation
import TraceContext
import Tracing

/// A trace document is the body of a request of OTLP over HTTP, in its JSON form.
///
/// Ids are hexadecimal, not in base64 as other bytes of Protocol Buffers are. Names are
/// lowerCamelCase, 64-bit numbers are texts, and enumerations are numbers (OTLP 1.3, "JSON Protobuf
/// Encoding").
struct TraceDocument: Encodable {
    struct Attribute: Encodable {
        struct Value: Encodable {
            var stringValue: String?
            var intValue: String?
            var doubleValue: Double?
            var boolValue: Bool?

            init(_ value: ExportedSpan.Value) {
                switch value {
                case .text(let text): stringValue = text
                case .number(let number): intValue = "\(number)"
                // JSON has no infinity, and no number that is not a number.
                case .fraction(let number): if number.isFinite { doubleValue = number } else { stringValue = "\(number)" }
                case .truth(let truth): boolValue = truth
                }
            }
        }

        let key: String
        let value: Value

        static func all(_ values: [String: ExportedSpan.Value]) -> [Attribute] {
            values.sorted { $0.key < $1.key }.map { Attribute(key: $0.key, value: Value($0.value)) }
        }
    }

    struct Resource: Encodable { let attributes: [Attribute] }
    struct Scope: Encodable { let name: String, version: String }
    struct Event: Encodable { let timeUnixNano: String, name: String, attributes: [Attribute] }
    struct Link: Encodable { let traceId: String, spanId: String }
    struct Status: Encodable { let code: Int, message: String? }

    struct Span: Encodable {
        let traceId: String
        let spanId: String
        let parentSpanId: String?
        let flags: Int
        let name: String
        let kind: Int
        let startTimeUnixNano: String
        let endTimeUnixNano: String
        let attributes: [Attribute]
        let events: [Event]
        let links: [Link]
        let status: Status?

        init(_ span: ExportedSpan) {
            traceId = span.identity.trace
            spanId = span.identity.span
            parentSpanId = span.parent
            flags = 1
            name = span.name
            kind =
                switch span.kind {
                case .server: 2
                case .client: 3
                case .producer: 4
                case .consumer: 5
                default: 1
                }
            startTimeUnixNano = "\(span.begin)"
            endTimeUnixNano = "\(span.end)"
            attributes = Attribute.all(span.attributes)
            events = span.events.map { Event(timeUnixNano: "\($0.nanoseconds)", name: $0.name, attributes: Attribute.all($0.attributes)) }
            links = span.links.map { Link(traceId: $0.trace, spanId: $0.span) }
            status = span.isError ? Status(code: 2, message: span.failure.map(ExportedSpan.bounded)) : nil
        }
    }

    struct ScopeSpans: Encodable { let scope: Scope, spans: [Span] }
    struct ResourceSpans: Encodable { let resource: Resource, scopeSpans: [ScopeSpans] }

    let resourceSpans: [ResourceSpans]

    init(_ spans: [ExportedSpan], service: String, instance: String, version: String) {
        let resource: [String: ExportedSpan.Value] = [
            "service.name": .text(service), "service.instance.id": .text(instance), "service.version": .text(version),
        ]
        resourceSpans = [
            ResourceSpans(
                resource: Resource(attributes: Attribute.all(resource)),
                scopeSpans: [ScopeSpans(scope: Scope(name: "odcs", version: version), spans: spans.map(Span.init))])
        ]
    }
}
