import Synchronization
import TraceContext
public import Tracing

/// A service span is an operation of the process, with its beginning and its end.
public final class ServiceSpan: Span {
    private struct State {
        var name: String
        var attributes = SpanAttributes()
        var events: [ExportedSpan.Event] = []
        var links: [TraceParent] = []
        var status: SpanStatus?
        var failure: String?
        var hasEnded = false
    }

    public let context: ServiceContext
    private let identity: TraceParent
    private let parent: String?
    private let kind: SpanKind
    private let begin: UInt64
    /// `nil` if the span is not recorded.
    private let buffer: SpanBuffer?
    private let state: Mutex<State>

    init(
        _ name: String, _ context: ServiceContext, _ identity: TraceParent, parent: String?, _ kind: SpanKind, begin: UInt64,
        buffer: SpanBuffer?
    ) {
        self.context = context
        self.identity = identity
        self.parent = parent
        self.kind = kind
        self.begin = begin
        self.buffer = buffer
        state = Mutex(State(name: name))
    }

    public var isRecording: Bool { buffer != nil }

    public var operationName: String {
        get { state.withLock(\.name) }
        set { state.withLock { $0.name = newValue } }
    }

    public var attributes: SpanAttributes {
        get { state.withLock(\.attributes) }
        set { if isRecording { state.withLock { $0.attributes = newValue } } }
    }

    public func setStatus(_ status: SpanStatus) { state.withLock { $0.status = status } }

    public func addEvent(_ event: SpanEvent) {
        add(.init(name: event.name, nanoseconds: event.nanosecondsSinceEpoch, attributes: ExportedSpan.values(of: event.attributes)))
    }

    public func recordError<Instant: TracerInstant>(
        _ error: any Error, attributes: SpanAttributes, at instant: @autoclosure () -> Instant
    ) {
        // The text of an error can have names from outside, so it is bounded, and only its type is
        // a name.
        let type = String(describing: Swift.type(of: error))
        state.withLock { $0.failure = type }
        add(
            .init(
                name: "exception", nanoseconds: instant().nanosecondsSinceEpoch,
                attributes: ["exception.type": .text(type), "exception.message": .text(ExportedSpan.bounded("\(error)"))]))
    }

    private func add(_ event: ExportedSpan.Event) {
        guard isRecording else { return }
        state.withLock { if $0.events.count < ExportedSpan.mostEvents { $0.events.append(event) } }
    }

    public func addLink(_ link: SpanLink) {
        guard isRecording, let target = link.context.traceParent else { return }
        state.withLock { if $0.links.count < ExportedSpan.mostEvents { $0.links.append(target) } }
    }

    /// Returns the name of a span. That of a request has its method, as OpenTelemetry wants it.
    /// Example: `POST /api/1/composes`.
    private static func name(_ name: String, _ attributes: [String: ExportedSpan.Value]) -> String {
        guard name.hasPrefix("/"), case .text(let method)? = attributes["http.request.method"] else { return ExportedSpan.bounded(name) }
        return ExportedSpan.bounded("\(method) \(name)")
    }

    public func end<Instant: TracerInstant>(at instant: @autoclosure () -> Instant) {
        guard let buffer else { return }
        let end = instant().nanosecondsSinceEpoch
        let span = state.withLock { state -> ExportedSpan? in
            guard !state.hasEnded else { return nil }
            state.hasEnded = true
            let attributes = ExportedSpan.values(of: state.attributes)
            return ExportedSpan(
                identity: identity, parent: parent, name: Self.name(state.name, attributes), kind: kind, begin: begin, end: max(begin, end),
                attributes: attributes, events: state.events, links: state.links,
                failure: state.status?.message ?? state.failure, isError: state.status?.code == .error)
        }
        if let span { buffer.add(span) }
    }
}
