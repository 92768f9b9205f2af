import ForeignText

/// A writer of JSON that appends to one buffer and builds no tree of values. It writes no white space
/// except for ``line()``, and does not escape slashes.
///
/// Example: `json.object { $0.member("id", 12) }` writes `{"id":12}`.
public struct JSONWriter: ~Copyable {
    /// The JSON that was written so far, in UTF-8.
    public private(set) var bytes: [UInt8] = []

    public init(reservingBytes capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    public mutating func object(_ members: (inout JSONWriter) throws -> Void) rethrows {
        separate()
        bytes.append(UInt8(ascii: "{"))
        try members(&self)
        bytes.append(UInt8(ascii: "}"))
    }

    public mutating func array<Element>(_ elements: some Sequence<Element>, _ write: (inout JSONWriter, Element) throws -> Void) rethrows {
        separate()
        bytes.append(UInt8(ascii: "["))
        for element in elements { try write(&self, element) }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Writes the name of a member. The member's value must be written next.
    public mutating func name(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// Begins a new line for the next value or name.
    public mutating func line() {
        separate()
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Ends the last line of a complete document.
    public mutating func endLine() { bytes.append(UInt8(ascii: "\n")) }

    /// Writes a member whose value is a text.
    public mutating func member(_ name: String, _ value: String) {
        self.name(name)
        string(value)
    }

    /// Writes a member whose value is a number.
    public mutating func member(_ name: String, _ value: Int) {
        self.name(name)
        integer(value)
    }

    /// Writes a member whose value is an object.
    public mutating func member(_ name: String, _ members: (inout JSONWriter) throws -> Void) rethrows {
        self.name(name)
        try object(members)
    }

    public mutating func null() {
        separate()
        bytes.append(contentsOf: "null".utf8)
    }

    public mutating func bool(_ value: Bool) {
        separate()
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    public mutating func integer(_ value: Int) {
        separate()
        bytes.append(contentsOf: String(value).utf8)
    }

    public mutating func string(_ value: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { text in
            var rest = text[...]
            while let place = rest.firstIndex(where: { !Self.isPlain($0) }) {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: rest[..<place]))
                let end = Self.isASCII(rest[place]) ? place + 1 : rest[place...].firstIndex(where: Self.isASCII) ?? rest.endIndex
                for scalar in String(decoding: rest[place..<end], as: UTF8.self).unicodeScalars { escaped(scalar) }
                rest = rest[end...]
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: rest))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes a value that is JSON already. It is not checked.
    public mutating func value(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    // MARK: -

    /// Writes a comma, unless the next value is the first of its object, array or line, or is the value of
    /// a name. The last byte decides, because no value ends with `{`, `[`, `:` or a line break.
    @inline(__always) private mutating func separate() {
        switch bytes.last {
        case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"), UInt8(ascii: "\n"): break
        default: bytes.append(UInt8(ascii: ","))
        }
    }

    private static func isASCII(_ byte: UInt8) -> Bool { byte < 0x80 }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// Writes an escaped character. JSON does not require an escape for invisible characters, but they are
    /// escaped as well because a terminal may show the document.
    private mutating func escaped(_ scalar: Unicode.Scalar) {
        if scalar.value < 0x7F {
            escaped(UInt8(truncatingIfNeeded: scalar.value))
        } else if scalar.isInvisible {
            bytes.append(contentsOf: scalar.jsonEscape.utf8)
        } else {
            bytes.append(contentsOf: String(scalar).utf8)
        }
    }

    private mutating func escaped(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): bytes.append(contentsOf: #"\""#.utf8)
        case UInt8(ascii: "\\"): bytes.append(contentsOf: #"\\"#.utf8)
        case 0x08: bytes.append(contentsOf: #"\b"#.utf8)
        case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
        case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
        case 0x0C: bytes.append(contentsOf: #"\f"#.utf8)
        case 0x0D: bytes.append(contentsOf: #"\r"#.utf8)
        case 0..<0x20:
            let digits = String(byte, radix: 16)
            bytes.append(contentsOf: (digits.utf8.count == 1 ? #"\u000"# : #"\u00"#).utf8)
            bytes.append(contentsOf: digits.utf8)
        default: bytes.append(byte)
        }
    }
}
