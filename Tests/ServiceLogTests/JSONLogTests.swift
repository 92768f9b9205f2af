import Foundation
import Logging
import ServiceLog
import Synchronization
import Testing

@Suite("The server's log as JSON")
struct JSONLogTests {
    private final class Written: Sendable {
        private let kept = Mutex<[[UInt8]]>([])
        var lines: [[UInt8]] { kept.withLock(\.self) }
        func add(_ line: [UInt8]) { kept.withLock { $0.append(line) } }
    }

    private struct Line: Decodable {
        let time: Date
        let level: String
        let logger: String
        let message: String
        let metadata: [String: String]?
    }

    @Test("each event is one line with its time, level, message and metadata, whatever strangers wrote in them")
    func lines() throws {
        struct Foreign: Error, CustomStringConvertible { let description = "broken \"pipe\"" }
        let written = Written()
        var logger = Logger(label: "odcs") { LeveledLog(PrintableLog(JSONLog(label: $0, write: written.add))) }
        logger[metadataKey: "compose"] = "12"
        logger.info("a\nforged", metadata: ["path": "/srv/\u{1B}[31m", "error": "\(Foreign())", "list": ["x", "y"]])
        logger.debug("not shown")
        logger.warning("plain")

        #expect(written.lines.count == 2)
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom {
            try Date(String(from: $0), strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        }
        let lines = try written.lines.map { line in
            #expect(line.last == UInt8(ascii: "\n") && line.filter { $0 == UInt8(ascii: "\n") }.count == 1)
            return try decoder.decode(Line.self, from: Data(line))
        }
        #expect(lines[0].level == "info" && lines[0].logger == "odcs")
        #expect(lines[0].message == "aU+000Aforged")
        #expect(lines[0].metadata?["compose"] == "12")
        #expect(lines[0].metadata?["path"] == "/srv/U+001B[31m")
        #expect(lines[0].metadata?["error"] == "broken \"pipe\"")
        #expect(lines[0].metadata?["list"] == #"["x", "y"]"#)
        #expect(lines[1].level == "warning" && lines[1].message == "plain")
    }
}
