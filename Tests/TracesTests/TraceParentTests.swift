import Testing
import TraceContext
import Tracing

@testable import Traces

/// Which spans a process records, and which trace they belong to.
@Suite struct TraceParentTests {
    private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test("a trace parent is read as W3C Trace Context says")
    func reading() throws {
        let parent = try #require(TraceParent(Self.parent))
        #expect(parent.trace == "4bf92f3577b34da6a3ce929d0e0e4736" && parent.span == "00f067aa0ba902b7" && parent.isSampled)
        #expect(parent.description == Self.parent)
        // A later version can have more parts.
        #expect(TraceParent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more")?.isSampled == false)
    }

    @Test(
        "other texts are no trace parents",
        arguments: [
            "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
        ])
    func wrong(text: String) {
        #expect(TraceParent(text) == nil)
    }

    private func spans(ratio: Double, _ body: (ServiceTracer) -> Void) -> [ExportedSpan] {
        let buffer = SpanBuffer()
        body(ServiceTracer(buffer, ratio: ratio))
        return buffer.take(100)
    }

    @Test("a span of a request is in the trace of the caller, and its children follow it")
    func children() throws {
        let spans = spans(ratio: 0) { tracer in
            tracer.withSpan("outer", context: .following(Self.parent), ofKind: .server) { _ in
                tracer.withSpan("inner") { _ in }
            }
        }
        #expect(spans.map(\.name) == ["inner", "outer"])
        #expect(Set(spans.map(\.identity.trace)) == ["4bf92f3577b34da6a3ce929d0e0e4736"])
        #expect(spans[1].parent == "00f067aa0ba902b7" && spans[0].parent == spans[1].identity.span)
    }

    private struct Header: Extractor {
        func extract(key: String, from carrier: String) -> String? { key == "traceparent" ? carrier : nil }
    }

    @Test(
        "the flags of a request do not decide whether its trace is recorded, unless callers are followed",
        arguments: [("01", 0.0, false, 0), ("00", 1, false, 1), ("01", 0, true, 1), ("00", 1, true, 0)])
    func request(flags: String, ratio: Double, followsCallers: Bool, count: Int) {
        let buffer = SpanBuffer()
        let tracer = ServiceTracer(buffer, ratio: ratio, followsCallers: followsCallers)
        var context = ServiceContext.topLevel
        tracer.extract(String(Self.parent.dropLast(2) + flags), into: &context, using: Header())
        tracer.withSpan("outer", context: context) { _ in tracer.withSpan("inner") { _ in } }
        let spans = buffer.take(10)
        #expect(spans.count == 2 * count)
        #expect(spans.allSatisfy { $0.identity.trace == "4bf92f3577b34da6a3ce929d0e0e4736" })
    }

    @Test("spans below a span follow its decision, and the ratio decides for new traces")
    func sampling() {
        let off = Self.parent.dropLast(2) + "00"
        #expect(spans(ratio: 1) { $0.withSpan("a", context: .following(String(off))) { _ in } }.isEmpty)
        #expect(spans(ratio: 0) { $0.withSpan("a", context: .topLevel) { _ in } }.isEmpty)
        let spans = spans(ratio: 1) { tracer in for _ in 0..<3 { tracer.withSpan("a", context: .topLevel) { _ in } } }
        #expect(Set(spans.map(\.identity.trace)).count == 3 && spans.allSatisfy { $0.parent == nil })
    }

    @Test("a full buffer drops spans and counts them")
    func full() {
        let buffer = SpanBuffer()
        let tracer = ServiceTracer(buffer, ratio: 1)
        for _ in 0..<SpanBuffer.room + 7 { tracer.withSpan("a", context: .topLevel) { _ in } }
        #expect(buffer.dropped == 7)
        let first = buffer.take(10)
        for _ in 0..<4 { tracer.withSpan("b", context: .topLevel) { _ in } }
        buffer.putBack(first)
        #expect(buffer.dropped == 11)
        #expect(buffer.take(.max).count == SpanBuffer.room)
    }

    @Test("attributes that can show people or secrets are left out, and texts are bounded")
    func attributes() throws {
        let spans = spans(ratio: 1) { tracer in
            tracer.withSpan("GET", context: .topLevel) { span in
                span.attributes["url.query"] = "token=secret"
                span.attributes["net.sock.peer.addr"] = "192.0.2.7"
                span.attributes["note"] = String(repeating: "x", count: 10_000)
                span.attributes["number"] = 7
            }
        }
        let values = try #require(spans.first).attributes
        #expect(Set(values.keys) == ["note", "number"])
        guard case .text(let note)? = values["note"] else {
            Issue.record("no text")
            return
        }
        #expect(note.utf8.count < 600)
    }
}
