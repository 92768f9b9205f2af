import ForeignText
import Foundation

/// A value of an answer that is neither array nor struct, as its text was written. It is valid only while its sink is called.
struct XMLRPCScalar {
    enum Kind: UInt8 {
        case null, bool, int, double, string, base64, dateTime

        /// In words: "an integer".
        var words: String {
            switch self {
            case .null: "nil"
            case .bool: "a boolean"
            case .int: "an integer"
            case .double: "a double"
            case .string: "a string"
            case .base64: "base64"
            case .dateTime: "a date"
            }
        }
    }

    let kind: Kind
    /// UTF-8, as XML guarantees.
    let text: UnsafeBufferPointer<UInt8>

    /// The text as an excerpt for an explanation.
    var excerpt: String { Excerpt.of(text) }
}

extension XMLRPCScalar {
    /// The decimal digits of the text, white space around them aside; `nil` unless it is an integer of 64 bits.
    var integer: Int? {
        var digits = trimmed
        guard let first = digits.first else { return nil }
        let isNegative = first == UInt8(ascii: "-")
        if isNegative || first == UInt8(ascii: "+") { digits = digits.dropFirst() }
        guard !digits.isEmpty else { return nil }
        var result = 0
        for digit in digits {
            let value = Int(digit) - 0x30
            guard value >= 0, value <= 9 else { return nil }
            let (tens, tensOverflow) = result.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = isNegative ? tens.subtractingReportingOverflow(value) : tens.addingReportingOverflow(value)
            if tensOverflow || overflow { return nil }
            result = sum
        }
        return result
    }

    var boolean: Bool? {
        switch integer {
        case 0: false
        case 1: true
        default: nil
        }
    }

    /// The number that the text is; `nil` also for those that XML-RPC cannot write, as infinity.
    var number: Double? { Double(String(decoding: trimmed, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil } }

    private var trimmed: Slice<UnsafeBufferPointer<UInt8>> {
        var slice = text[...]
        while let first = slice.first, first <= 0x20 { slice = slice.dropFirst() }
        while let last = slice.last, last <= 0x20 { slice = slice.dropLast() }
        return slice
    }

    /// The bytes that the text stands for in base64, line breaks aside; `nil` when it is not base64.
    var bytes: [UInt8]? { Data(base64Encoded: Data(text.filter { $0 > 0x20 })).map { [UInt8]($0) } }
}

/// Pieces of what a hub sent, fit for a message: short, on one line, without control characters.
enum Excerpt {
    static func of(_ bytes: some Collection<UInt8>, longest: Int = 200) -> String {
        of(String(decoding: bytes.prefix(4 * longest), as: UTF8.self), longest: longest)
    }

    static func of(_ text: String, longest: Int = 200) -> String {
        let line = String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(4 * longest).map { $0.isInvisible ? " " : $0 }))
        let words = line.split(separator: " ").joined(separator: " ")
        return words.count > longest ? "\(words.prefix(longest))…" : words
    }
}
