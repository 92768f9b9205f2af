import TraceContext
import Tracing

/// An exported span is a span that has ended, as the sink gets it.
struct ExportedSpan: Sendable {
    /// The maximum number of attributes and of events, and the maximum length of a text.
    static let (mostAttributes, mostEvents, longestText) = (32, 16, 500)
    /// Attributes of libraries that can have addresses of people, or secrets.
    private static let omitted: Set<String> = [
        "url.query", "url.full", "user_agent.original", "net.sock.peer.addr", "net.sock.peer.port",
    ]

    struct Event: Sendable {
        let name: String
        let nanoseconds: UInt64
        let attributes: [String: Value]
    }

    /// The value of an attribute.
    enum Value: Sendable, Hashable {
        case text(String)
        case number(Int64)
        case fraction(Double)
        case truth(Bool)
    }

    let identity: TraceParent
    let parent: String?
    let name: String
    let kind: SpanKind
    let begin: UInt64
    let end: UInt64
    let attributes: [String: Value]
    let events: [Event]
    let links: [TraceParent]
    let failure: String?
    let isError: Bool

    /// Returns a bounded part of the attributes.
    static func values(of attributes: SpanAttributes) -> [String: Value] {
        var values: [String: Value] = [:]
        attributes.forEach { key, attribute in
            guard !omitted.contains(key), values.count < mostAttributes else { return }
            switch attribute {
            case .int32(let number): values[key] = .number(Int64(number))
            case .int64(let number): values[key] = .number(number)
            case .double(let number): values[key] = .fraction(number)
            case .bool(let truth): values[key] = .truth(truth)
            case .string(let text): values[key] = .text(bounded(text))
            case .stringConvertible(let value): values[key] = .text(bounded(value.description))
            default: break
            }
        }
        return values
    }

    static func bounded(_ text: String) -> String { text.utf8.count <= longestText ? text : String(text.prefix(longestText / 4)) + "…" }
}
