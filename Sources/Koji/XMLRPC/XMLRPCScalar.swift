import Foundation

/// A value of an answer that is neither an array nor a struct, with its text as the hub wrote it. It is
/// valid only during the call of the sink.
struct XMLRPCScalar {
    enum Kind: UInt8 {
        case null, bool, int, double, string, base64, dateTime

        /// The kind in words. Example: "an integer".
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
    /// The text in UTF-8, which XML guarantees.
    let text: UnsafeBufferPointer<UInt8>

    /// A short form of the text for error messages.
    var excerpt: String { Excerpt.of(text) }
}

extension XMLRPCScalar {
    /// The integer that the text stands for, without white space around it. `nil` unless the text is a
    /// decimal integer of 64 bits.
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

    /// The number that the text stands for. `nil` also for a number that XML-RPC cannot write, such as
    /// infinity.
    var number: Double? { Double(String(decoding: trimmed, as: UTF8.self)).flatMap { $0.isFinite ? $0 : nil } }

    private var trimmed: Slice<UnsafeBufferPointer<UInt8>> {
        var slice = text[...]
        while let first = slice.first, first <= 0x20 { slice = slice.dropFirst() }
        while let last = slice.last, last <= 0x20 { slice = slice.dropLast() }
        return slice
    }

    /// The bytes that the text stands for in base64, without line breaks. `nil` when the text is not
    /// base64.
    var bytes: [UInt8]? { Data(base64Encoded: Data(text.filter { $0 > 0x20 })).map { [UInt8]($0) } }
}
