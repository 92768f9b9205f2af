import TraceContext
public import Tracing

/// A service tracer makes the spans of a process, and gives those that have ended to a buffer.
///
/// It follows the decision of the caller that a trace is recorded. Without a caller, it records a
/// part of the traces.
public struct ServiceTracer: Tracer {
    private let buffer: SpanBuffer
    private let ratio: Double

    /// - Parameter ratio: The part of new traces that are recorded, from 0 to 1.
    public init(_ buffer: SpanBuffer, ratio: Double) {
        self.buffer = buffer
        self.ratio = ratio
    }

    public func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind, at instant: @autoclosure () -> Instant,
        function: String, file fileID: String, line: UInt
    ) -> ServiceSpan {
        var context = context()
        let parent = context.traceParent
        let isSampled = parent?.isSampled ?? (.random(in: 0..<1) < ratio)
        let identity = TraceParent.random(trace: parent?.trace, isSampled: isSampled)
        context.traceParent = identity
        return ServiceSpan(
            operationName, context, identity, parent: parent?.span, kind, begin: instant().nanosecondsSinceEpoch,
            buffer: isSampled ? buffer : nil)
    }

    public func forceFlush() {}

    // MARK: Headers

    private static let header = "traceparent"

    public func extract<Carrier, Extract: Extractor>(
        _ carrier: Carrier, into context: inout ServiceContext, using extractor: Extract
    ) where Extract.Carrier == Carrier {
        if let parent = extractor.extract(key: Self.header, from: carrier).flatMap({ TraceParent($0) }) { context.traceParent = parent }
    }

    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        if let parent = context.traceParent { injector.inject(parent.description, forKey: Self.header, into: &carrier) }
    }
}
