import ComposeModel
import ForeignText
import Foundation
import NIOPosix

/// A line of a log on a page.
struct LogLine: Sendable {
    let number: Int
    let text: String
    let isError: Bool

    init(_ number: Int, _ bytes: some Collection<UInt8>) {
        self.number = number
        let text = String(decoding: bytes, as: UTF8.self).printable(most: 4000)
        self.text = text
        isError = ["ERROR", "CRITICAL", "Traceback"].contains { text.contains($0) }
    }
}

/// A part of a log: its lines, and the places in the file before and behind them.
struct LogPart: Sendable {
    let lines: [LogLine]
    /// The offset at which the part ends. It is the beginning of a line.
    let end: Int
    /// The size of the log when it was read.
    let size: Int

    /// The most bytes of a part.
    private static let most = 256 << 10

    /// Reads the part of a log that begins at an offset, which is the beginning of a line.
    static func read(_ file: ServedFile, from offset: Int, number: Int, most: Int = most) async throws -> LogPart {
        try await NIOThreadPool.singleton.runIfActive {
            let begin = min(max(0, offset), file.size)
            let bytes = try file.bytes(from: begin, count: min(most, file.size - begin))
            var (lines, place, number): ([LogLine], Int, Int) = ([], 0, number)
            while let end = bytes[place...].firstIndex(of: UInt8(ascii: "\n")) {
                lines.append(LogLine(number, bytes[place..<end]))
                (place, number) = (end + 1, number + 1)
            }
            // A line that is longer than a part is shown in parts.
            if place == 0, bytes.count == most {
                lines.append(LogLine(number, bytes))
                place = bytes.count
            }
            return LogPart(lines: lines, end: begin + place, size: file.size)
        }
    }
}

/// The end of a log on the page of a compose.
struct LogEnd: Sendable {
    let lines: [LogLine]
    /// The number of the first line.
    let first: Int
    let whole: String
    let raw: String
    /// The offset at which the lines end.
    let end: Int
    /// Whether the lines have no numbers, because those before them were not read.
    let isCut: Bool

    private static let mostBytes = 64 << 10
    private static let mostLines = 200

    init(lines: [LogLine], end: Int, isCut: Bool, whole: String, raw: String) {
        self.lines = lines
        first = lines.first?.number ?? 1
        self.end = end
        self.isCut = isCut
        self.whole = whole
        self.raw = raw
    }

    /// Reads the last lines of a log.
    static func read(_ file: ServedFile, whole: String, raw: String) async throws -> LogEnd {
        var begin = max(0, file.size - mostBytes)
        if begin > 0 {
            // The part begins with a whole line.
            let bytes = try await NIOThreadPool.singleton.runIfActive { [begin] in try file.bytes(from: begin, count: 4096) }
            begin += (bytes.firstIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
        }
        let part = try await LogPart.read(file, from: begin, number: 1)
        return LogEnd(lines: part.lines.suffix(mostLines), end: part.end, isCut: begin > 0, whole: whole, raw: raw)
    }
}
