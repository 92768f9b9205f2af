public import Tracing

/// A trace parent names a span in another process, in the form of W3C Trace Context, level 1.
///
/// Example: `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
public struct TraceParent: Hashable, Sendable, CustomStringConvertible {
    /// The trace, as 32 hexadecimal digits.
    public let trace: String
    /// The span, as 16 hexadecimal digits.
    public let span: String
    /// Whether the spans of the trace are recorded.
    public let isSampled: Bool

    public init(trace: String, span: String, isSampled: Bool) {
        self.trace = trace
        self.span = span
        self.isSampled = isSampled
    }

    /// Returns `nil` if the text is no trace parent. Those of later versions can have more parts.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count >= 4, Self.isHex(parts[0], 2), parts[0] != "ff", parts[0] != "00" || parts.count == 4, Self.isHex(parts[1], 32),
            Self.isHex(parts[2], 16), Self.isHex(parts[3], 2), let flags = UInt8(parts[3], radix: 16),
            parts[1].contains(where: { $0 != "0" }),
            parts[2].contains(where: { $0 != "0" })
        else { return nil }
        self.init(trace: String(parts[1]), span: String(parts[2]), isSampled: flags & 1 == 1)
    }

    /// The current span, for another process. `nil` outside of a span.
    public static var current: TraceParent? { ServiceContext.current?.traceParent }

    /// Returns the identity of a new span, of a new trace or of one that exists.
    public static func random(trace: String? = nil, isSampled: Bool) -> TraceParent {
        let trace = trace ?? hex(.random(in: 1 ... .max)) + hex(.random(in: 0 ... .max))
        return TraceParent(trace: trace, span: hex(.random(in: 1 ... .max)), isSampled: isSampled)
    }

    public var description: String { "00-\(trace)-\(span)-\(isSampled ? "01" : "00")" }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func isHex(_ text: Substring, _ count: Int) -> Bool {
        text.utf8.count == count
            && text.utf8.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}

private enum TraceParentKey: ServiceContextKey {
    typealias Value = TraceParent
    static let nameOverride: String? = "traceparent"
}

extension ServiceContext {
    /// The span that spans of this context are children of.
    public var traceParent: TraceParent? {
        get { self[TraceParentKey.self] }
        set { self[TraceParentKey.self] = newValue }
    }

    /// Returns a context whose spans are children of a span that another process has named.
    public static func following(_ traceParent: String?) -> ServiceContext {
        var context = ServiceContext.topLevel
        context.traceParent = traceParent.flatMap { TraceParent($0) }
        return context
    }
}
