import ComposeModel
import Foundation
import Testing

@testable import ComposeFrontend

/// The small parts by themselves.
@Suite struct ValueTests {
    @Test(
        "JSON numbers are what they are written as",
        arguments: [
            ("1", JSONValue.integer(1)), ("-0", .integer(0)), ("1000000000000", .integer(1_000_000_000_000)),
            ("9223372036854775807", .integer(.max)), ("1.0", .integer(1)), ("1e3", .integer(1000)), ("1.5", .number(1.5)),
            ("true", .bool(true)), ("false", .bool(false)),
            ("null", .null), ("\"1\"", .string("1")), ("[true, 1]", .array([.bool(true), .integer(1)])),
        ])
    func numbers(text: String, value: JSONValue) throws {
        #expect(try JSONValue(parsing: Data(text.utf8)) == value)
    }

    @Test("a number beyond all bounds is no integer, and no crash", arguments: ["1e400", "-1e400", "9223372036854775808", "1e19"])
    func hugeNumbers(text: String) {
        do {
            let value = try JSONValue(parsing: Data(text.utf8))
            guard case .number = value else {
                Issue.record("\(text) became \(value)")
                return
            }
        } catch {
            #expect(error.message.hasPrefix("The body is not JSON"))
        }
    }

    @Test("a comma before a bracket is fine where it is part of a string", arguments: [#"[",]"]"#, #"["\",}", 1]"#, #"{"a\\": ",}"}"#])
    func commas(text: String) throws {
        _ = try JSONValue(parsing: Data(text.utf8))
    }

    @Test("of a member that is named twice the last one counts")
    func duplicates() throws {
        #expect(try JSONValue(parsing: Data(#"{"a": 1, "a": 2}"#.utf8)) == .object(["a": .integer(2)]))
    }

    @Test("dates are those of HTTP, both ways")
    func dates() {
        let date = Date(timeIntervalSince1970: 784_111_777)
        #expect(HTTPDate.format(date) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(HTTPDate.parse("Sun, 06 Nov 1994 08:49:37 GMT") == date)
        #expect(HTTPDate.parse("1994-11-06") == nil)
        #expect(HTTPDate.format(Date(timeIntervalSince1970: 0)) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test("a metric's labels are escaped, and its counts are whole")
    func metricText() {
        let family = MetricFamily(
            "m", help: "Help.", kind: .gauge, samples: [.init(labels: [("a", "x\"y\\z\n")], value: 3), .init(suffix: "_sum", value: 0.5)])
        #expect(family.text == "# HELP m Help.\n# TYPE m gauge\nm{a=\"x\\\"y\\\\z\\n\"} 3\nm_sum 0.5\n")
    }
}
