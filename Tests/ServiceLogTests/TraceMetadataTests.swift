import Foundation
import Logging
import ServiceLog
import Synchronization
import Testing
import TraceContext
import Tracing

@Suite("Traces in the log")
struct TraceMetadataTests {
    /// The lines that were written.
    private final class Written: TextOutputStream, Sendable {
        private let kept = Mutex<[String]>([])
        var lines: [String] { kept.withLock(\.self) }
        func write(_ string: String) { kept.withLock { $0.append(string) } }
    }

    private let parent = TraceParent(trace: "4bf92f3577b34da6a3ce929d0e0e4736", span: "00f067aa0ba902b7", isSampled: true)

    private func withinSpan(_ body: () -> Void) {
        ServiceContext.$current.withValue(.following(parent.description)) { body() }
    }

    @Test("a line of text that is written within a span has its trace and its span, and others have neither")
    func text() {
        let written = Written()
        let logger = Logger(label: "odcs") {
            LeveledLog(PrintableLog(StreamLogHandler(label: $0, stream: written, metadataProvider: .trace)))
        }
        withinSpan { logger.info("within", metadata: ["compose": "7"]) }
        logger.info("outside", metadata: ["compose": "7"])
        #expect(written.lines.count == 2)
        for part in ["trace=\(parent.trace)", "span=\(parent.span)", "compose=7"] { #expect(written.lines[0].contains(part)) }
        #expect(!written.lines[1].contains("trace=") && written.lines[1].contains("compose=7"))
    }

    @Test("a line of JSON that is written within a span has its trace and its span, and others have neither")
    func json() throws {
        struct Line: Decodable { let metadata: [String: String]? }
        let written = Written()
        let logger = Logger(label: "odcs") {
            LeveledLog(PrintableLog(JSONLog(label: $0, metadataProvider: .trace) { written.write(String(decoding: $0, as: UTF8.self)) }))
        }
        withinSpan { logger.info("within", metadata: ["compose": "7"]) }
        logger.info("outside")
        let lines = try written.lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        #expect(lines.map(\.metadata) == [["compose": "7", "span": parent.span, "trace": parent.trace], nil])
    }
}
