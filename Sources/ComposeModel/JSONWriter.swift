import ForeignText

/// Writes JSON as it goes, without a tree of values first: white space there is none but ``line()``, and slashes are as they are.
public struct JSONWriter: ~Copyable {
    /// What was written so far, in UTF-8.
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

    /// The name of a member, whose value comes next.
    public mutating func name(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
    }

    /// Begins a line, on which the next value or name stands.
    public mutating func line() {
        separate()
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Ends the line of a document that is complete.
    public mutating func endLine() { bytes.append(UInt8(ascii: "\n")) }

    /// A member that is a text.
    public mutating func member(_ name: String, _ value: String) {
        self.name(name)
        string(value)
    }

    /// A member that is a number.
    public mutating func member(_ name: String, _ value: Int) {
        self.name(name)
        integer(value)
    }

    /// A member that is an object.
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
            if text.allSatisfy(Self.isPlain) {
                bytes.append(contentsOf: text)
            } else {
                for scalar in String(decoding: text, as: UTF8.self).unicodeScalars { escaped(scalar) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A value that somebody else has written.
    public mutating func value(_ json: some Sequence<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
    }

    // MARK: -

    /// A comma, unless this is the first of its object or array, of a line, or the value of a name: no value ends with the byte that these do.
    private mutating func separate() {
        switch bytes.last {
        case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"), UInt8(ascii: "\n"): break
        default: bytes.append(UInt8(ascii: ","))
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
    }

    /// Beyond what JSON asks for, characters that show nothing are escaped: a terminal may show the document.
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
