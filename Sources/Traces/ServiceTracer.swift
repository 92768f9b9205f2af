import TraceContext
public import Tracing

/// A service tracer makes the spans of a process, and gives those that have ended to a buffer.
///
/// It records a part of the traces. Spans below a span of this service follow its decision, in
/// whichever process they are. A trace of a caller goes on as well, but whether it is recorded is
/// decided here, unless callers are followed.
public struct ServiceTracer: Tracer {
    private let buffer: SpanBuffer
    private let ratio: Double
    private let followsCallers: Bool

    /// - Parameters:
    ///   - ratio: The part of traces that are recorded, from 0 to 1.
    ///   - followsCallers: Whether a caller that has a trace decides if it is recorded.
    public init(_ buffer: SpanBuffer, ratio: Double, followsCallers: Bool = false) {
        self.buffer = buffer
        self.ratio = ratio
        self.followsCallers = followsCallers
    }

    /// Decides whether a trace is recorded.
    private func draw() -> Bool { .random(in: 0..<1) < ratio }

    public func startSpan<Instant: TracerInstant>(
        _ operationName: String, context: @autoclosure () -> ServiceContext, ofKind kind: SpanKind, at instant: @autoclosure () -> Instant,
        function: String, file fileID: String, line: UInt
    ) -> ServiceSpan {
        var context = context()
        let parent = context.traceParent
        let isSampled = parent?.isSampled ?? draw()
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
        guard let parent = extractor.extract(key: Self.header, from: carrier).flatMap({ TraceParent($0) }) else { return }
        // Otherwise a stranger could have all of its requests recorded, against the ratio.
        context.traceParent = TraceParent(trace: parent.trace, span: parent.span, isSampled: followsCallers ? parent.isSampled : draw())
    }

    public func inject<Carrier, Inject: Injector>(
        _ context: ServiceContext, into carrier: inout Carrier, using injector: Inject
    ) where Inject.Carrier == Carrier {
        if let parent = context.traceParent { injector.inject(parent.description, forKey: Self.header, into: &carrier) }
    }
}
