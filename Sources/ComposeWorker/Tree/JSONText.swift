import Foundation

/// A JSON document under way, written from front to back: for documents with an entry for each package, of which a tree of values would take longer
/// to make than the packages to link.
///
/// Members come in the order in which they are written; each stands on a line of its own.
struct JSONText {
    private(set) var bytes: [UInt8] = []
    private var depth = 0
    /// Whether nothing is yet in the innermost object or array.
    private var isEmpty = true

    /// The document that is this one object.
    static func document(_ members: (inout JSONText) throws -> Void) rethrows -> [UInt8] {
        var text = JSONText()
        try text.nest("{", "}", members)
        text.bytes.append(UInt8(ascii: "\n"))
        return text.bytes
    }

    // MARK: Members of an object

    mutating func member(_ name: String, _ value: String) {
        begin(name)
        quote(value)
    }

    mutating func member(_ name: String, _ value: Int) {
        begin(name)
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func member(_ name: String, _ value: Bool) {
        begin(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    mutating func null(_ name: String) {
        begin(name)
        bytes.append(contentsOf: "null".utf8)
    }

    mutating func object(_ name: String, _ members: (inout JSONText) throws -> Void) rethrows {
        begin(name)
        try nest("{", "}", members)
    }

    mutating func array(_ name: String, _ elements: (inout JSONText) throws -> Void) rethrows {
        begin(name)
        try nest("[", "]", elements)
    }

    /// Anything of which there is little, in one line.
    mutating func member(_ name: String, encoding value: some Encodable) throws {
        begin(name)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        bytes += try encoder.encode(value)
    }

    // MARK: Elements of an array

    mutating func object(_ members: (inout JSONText) throws -> Void) rethrows {
        beginLine()
        try nest("{", "}", members)
    }

    // MARK: Text

    private mutating func begin(_ name: String) {
        beginLine()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(UInt8(ascii: " "))
    }

    private mutating func beginLine() {
        if !isEmpty { bytes.append(UInt8(ascii: ",")) }
        isEmpty = false
        breakLine()
    }

    private mutating func breakLine() {
        bytes.append(UInt8(ascii: "\n"))
        for _ in 0..<depth { bytes.append(UInt8(ascii: " ")) }
    }

    private mutating func nest(_ opening: Unicode.Scalar, _ closing: Unicode.Scalar, _ body: (inout JSONText) throws -> Void) rethrows {
        bytes.append(UInt8(ascii: opening))
        depth += 1
        isEmpty = true
        try body(&self)
        depth -= 1
        if !isEmpty { breakLine() }
        isEmpty = false
        bytes.append(UInt8(ascii: closing))
    }

    /// As RFC 8259 wants it, section 7.
    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            guard utf8.contains(where: Self.mustBeEscaped) else {
                bytes.append(contentsOf: utf8)
                return
            }
            for byte in utf8 {
                if Self.mustBeEscaped(byte) {
                    bytes.append(contentsOf: Self.escaped(byte).utf8)
                } else {
                    bytes.append(byte)
                }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func mustBeEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func escaped(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\""): "\\\""
        case UInt8(ascii: "\\"): "\\\\"
        case UInt8(ascii: "\n"): "\\n"
        case UInt8(ascii: "\t"): "\\t"
        default: "\\u00" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
        }
    }
}
