import Hummingbird

/// The page of a log, with numbered lines. A long log is shown in parts.
struct LogPage: Sendable {
    let subject: String
    let number: Int
    /// The address of the object that has the log.
    let link: String
    let raw: String
    let lines: [LogLine]
    let first: Int
    let position: String?
    let start, next, end: String?
    /// The offset up to which the page shows the log, if it shows its end.
    let shownEnd: Int?
    /// The stream of further lines. `nil` if the log is complete, or if the page does not show its end.
    var events: String?

    /// The highest number of a first line. The numbers of the lines after it are still integers.
    private static let highestLine = 1_000_000_000

    /// Reads the part that the query names by its offset `at` and the number `line` of its first line.
    ///
    /// - Parameter path: The path of the page itself, with its prefix.
    static func read(
        _ file: ServedFile, _ request: Request, subject: String, number: Int, link: String, path: String, raw: String
    ) async throws -> LogPage {
        var (offset, line) = (0, 1)
        for (key, value) in try QueryItems(request.uri.query).items where !value.isEmpty {
            switch key {
            case "at": offset = try QueryItems.number(value, key, from: 0)
            case "line": line = min(try QueryItems.number(value, key, from: 1), highestLine)
            default: break
            }
        }
        let part = try await LogPart.read(file, from: offset, number: line)
        let join = path.contains("?") ? "&" : "?"
        let isWhole = offset == 0 && part.end >= part.size
        let next = part.end < part.size && part.end > offset
        return LogPage(
            subject: subject, number: number, link: link, raw: raw, lines: part.lines, first: line,
            position: isWhole ? nil : "\(ShownNumber.size(offset)) to \(ShownNumber.size(part.end)) of \(ShownNumber.size(part.size))",
            start: offset == 0 ? nil : path, next: next ? "\(path)\(join)at=\(part.end)&line=\(line + part.lines.count)" : nil, end: nil,
            shownEnd: next ? nil : part.end)
    }
}
