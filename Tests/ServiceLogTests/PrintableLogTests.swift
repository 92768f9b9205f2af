import Logging
import ServiceLog
import Synchronization
import Testing

@Suite("The server's log")
struct PrintableLogTests {
    /// What was written.
    private final class Written: TextOutputStream, Sendable {
        private let kept = Mutex("")
        var text: String { kept.withLock(\.self) }
        func write(_ string: String) { kept.withLock { $0 += string } }
    }

    @Test("an event is one printable line, whatever strangers wrote in its message, its metadata or its error")
    func oneLine() {
        struct Foreign: Error, CustomStringConvertible { let description = "x\nforged\u{9B}" }
        let written = Written()
        var logger = Logger(label: "odcs") { PrintableLog(StreamLogHandler(label: $0, stream: written)) }
        logger[metadataKey: "name"] = "a\u{1B}[31m"
        logger.info("b\u{202E}c", metadata: ["list": ["d\r\n"], "error": "\(Foreign())"])

        let line = written.text
        #expect(line.hasSuffix("\n") && !line.dropLast().contains(where: \.isNewline))
        for part in ["name=aU+001B[31m", "bU+202Ec", #"list=["d\r\n"]"#, "error=xU+000AforgedU+009B"] {
            #expect(line.contains(part), "\(line)")
        }
    }

    @Test("the name of a service is logged without its members, which can have passwords")
    func services() {
        let written = Written()
        var logger = Logger(label: "odcs") { PrintableLog(StreamLogHandler(label: $0, stream: written)) }
        logger.logLevel = .debug
        let service = "WorkerServices(proxy: http://odcs:secret@proxy.example.org)"
        logger.debug("Starting", metadata: ["sl-services": "[\"\(service)\"]", "state": "s"])
        logger.debug("Service finished", metadata: ["sl-service": "\(service)"])

        #expect(!written.text.contains("secret"))
        #expect(written.text.contains("sl-service=WorkerServices ") && written.text.contains("state=s"))
    }
}
