import Foundation
import ServiceConfiguration
import SystemPackage
import Traces

/// The traces of a service.
extension ConfigurationReader {
    mutating func tracing() throws -> TracingSettings {
        let ratio = try string("tracing.ratio", default: "1.0")
        guard let part = Double(ratio), (0...1).contains(part) else {
            throw mistake("tracing.ratio", "must be a number from 0 to 1, not \(ratio)")
        }
        let link = try optionalString("tracing.link")
        guard link?.contains("{trace}") != false else {
            throw mistake("tracing.link", "must have {trace}, in whose place the id of a trace is put")
        }
        return TracingSettings(
            endpoint: try optionalBaseURL("tracing.endpoint"), ratio: part,
            followsCallers: try bool("tracing.follow_callers", default: false),
            tracesStatements: try bool("tracing.statements", default: false), headers: try headers("tracing.headers_file"), link: link)
    }

    /// Returns the headers in a file, one on each line. Example: `Authorization: Bearer secret`.
    private mutating func headers(_ key: String) throws -> [String: String] {
        guard let file = try optionalPath(key) else { return [:] }
        guard let text = FileManager.default.contents(atPath: file.string).map({ String(decoding: $0, as: UTF8.self) }) else {
            throw mistake(key, "names a file that does not exist or cannot be read")
        }
        var headers: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: ":", maxSplits: 1)
            guard words.count == 2, words[0].utf8.allSatisfy({ $0.isNameByte }) else {
                throw mistake(key, "names a file with a line that is no header such as Authorization: Bearer TOKEN")
            }
            headers[String(words[0])] = words[1].trimmingCharacters(in: .whitespaces)
        }
        return headers
    }
}
