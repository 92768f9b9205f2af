import Glibc

/// A cursor over XML that is written as plainly as createrepo_c writes it.
///
/// It accepts a part of XML only. All that it accepts is well-formed, and an XML parser reads the same.
/// For anything else it throws ``Unusual``, also for XML that is well-formed. Examples are comments,
/// CDATA sections, and attributes in single quotes.
struct PlainMarkup {
    /// The document has something that this cursor does not read.
    struct Unusual: Error {}

    /// A piece of the document, as it is written.
    struct Piece {
        let start: UnsafePointer<UInt8>
        let count: Int
        /// Whether it has references, such as `&amp;`.
        let hasReferences: Bool

        /// Whether the bytes are those of `text`.
        @inline(__always)
        func isText(_ text: StaticString) -> Bool {
            count == text.utf8CodeUnitCount && memcmp(start, text.utf8Start, text.utf8CodeUnitCount) == 0
        }
    }

    /// The next byte.
    private(set) var next: UnsafePointer<UInt8>
    /// Whether the last start tag is also its end tag, as in `<url/>`.
    private(set) var isEmpty = false
    private let end: UnsafePointer<UInt8>

    /// Returns `nil` if there are no bytes. They must exist as long as the cursor.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        next = start
        end = start + bytes.count
    }

    var isAtEnd: Bool { next == end }

    /// Skips bytes that must be those of `text`.
    @inline(__always)
    mutating func skip(_ text: StaticString) throws(Unusual) {
        let count = text.utf8CodeUnitCount
        guard end - next >= count, memcmp(next, text.utf8Start, count) == 0 else { throw Unusual() }
        next += count
    }

    mutating func skipSpace() {
        while next < end, Self.isSpace(next.pointee) { next += 1 }
    }

    /// Skips space up to the next tag, and returns the name of the tag. The name of an end tag begins with
    /// a slash.
    @inline(__always)
    mutating func tag() throws(Unusual) -> Piece {
        skipSpace()
        guard next < end, next.pointee == UInt8(ascii: "<") else { throw Unusual() }
        next += 1
        let start = next
        if next < end, next.pointee == UInt8(ascii: "/") { next += 1 }
        skipName()
        return Piece(start: start, count: next - start, hasReferences: false)
    }

    /// Ends an end tag, whose name was read.
    @inline(__always)
    mutating func endTag() throws(Unusual) { try skip(">") }

    /// Returns the next attribute of a start tag, or `nil` at the end of the tag. Then ``isEmpty`` is set.
    ///
    /// It does not notice if an attribute occurs twice, which no document may have.
    @inline(__always)
    mutating func attribute() throws(Unusual) -> (name: Piece, value: Piece)? {
        let before = next
        skipSpace()
        guard end - next >= 2 else { throw Unusual() }
        if next.pointee == UInt8(ascii: ">") {
            next += 1
            isEmpty = false
            return nil
        }
        if next.pointee == UInt8(ascii: "/") {
            try skip("/>")
            isEmpty = true
            return nil
        }
        let start = next
        skipName()
        let name = Piece(start: start, count: next - start, hasReferences: false)
        guard before < start, name.count > 0 else { throw Unusual() }
        try skip("=\"")
        return (name, try value())
    }

    /// Reads the attributes of a start tag up to its end. Each of `names` may occur once, and no other.
    ///
    /// - Returns: The values in the order of `names`. `nil` for an attribute that does not occur.
    @inline(__always)
    mutating func attributes<let count: Int>(_ names: InlineArray<count, StaticString>) throws(Unusual) -> InlineArray<count, Piece?> {
        var values = InlineArray<count, Piece?>(repeating: nil)
        reading: while let (name, value) = try attribute() {
            for index in names.indices where name.isText(names[index]) {
                if case .some = values[index] { throw Unusual() }
                values[index] = value
                continue reading
            }
            throw Unusual()
        }
        return values
    }

    /// Returns the value of an attribute, and skips the quote behind it.
    @inline(__always)
    private mutating func value() throws(Unusual) -> Piece {
        let start = next
        var hasReferences = false
        var isPlain = true
        while true {
            guard next < end else { throw Unusual() }
            let byte = next.pointee
            if byte == UInt8(ascii: "\"") { break }
            if byte < 0x20 || byte == UInt8(ascii: "<") { throw Unusual() }
            if byte == UInt8(ascii: "&") {
                hasReferences = true
                isPlain = false
            } else if byte >= 0x80 {
                isPlain = false
            }
            next += 1
        }
        let piece = Piece(start: start, count: next - start, hasReferences: hasReferences)
        guard isPlain || Self.isWellFormed(piece) else { throw Unusual() }
        next += 1
        return piece
    }

    /// Returns the text up to the next tag.
    @inline(__always)
    mutating func text() throws(Unusual) -> Piece {
        guard let found = memchr(next, Int32(UInt8(ascii: "<")), end - next) else { throw Unusual() }
        let start = next
        next = UnsafePointer(found.assumingMemoryBound(to: UInt8.self))
        let count = next - start
        if Self.isPlain(start, count) { return Piece(start: start, count: count, hasReferences: false) }
        let piece = Piece(start: start, count: count, hasReferences: memchr(start, Int32(UInt8(ascii: "&")), count) != nil)
        guard Self.isWellFormed(piece) else { throw Unusual() }
        return piece
    }

    @inline(__always)
    private mutating func skipName() {
        while next < end, Self.isOfName(next.pointee) { next += 1 }
    }

    @inline(__always)
    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 }

    @inline(__always)
    private static func isOfName(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-")
    }
}

// Texts and values.
extension PlainMarkup {
    /// The characters that have names.
    private static let names: [(text: StaticString, character: UInt8)] = [
        ("&amp;", UInt8(ascii: "&")), ("&lt;", UInt8(ascii: "<")), ("&gt;", UInt8(ascii: ">")), ("&quot;", UInt8(ascii: "\"")),
        ("&apos;", UInt8(ascii: "'")),
    ]

    /// Whether a text has only printable ASCII, spaces, line feeds and tabs, and neither `&` nor `]`.
    private static func isPlain(_ start: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var position = 0
        // Descriptions are half of a document, so eight bytes are looked at together.
        while count - position >= 8 {
            let bytes = UnsafeRawPointer(start + position).loadUnaligned(as: UInt64.self)
            if mayBeSpecial(bytes), !(position..<position + 8).allSatisfy({ isPlain(start[$0]) }) { return false }
            position += 8
        }
        while position < count {
            if !isPlain(start[position]) { return false }
            position += 1
        }
        return true
    }

    @inline(__always)
    private static func isPlain(_ byte: UInt8) -> Bool {
        (byte >= 0x20 || byte == 0x0A || byte == 0x09) && byte < 0x80 && byte != UInt8(ascii: "&") && byte != UInt8(ascii: "]")
    }

    /// Whether any of eight bytes is below 0x20, above 0x7F, `&` or `]`. Nearly all others are found not to
    /// be.
    @inline(__always)
    private static func mayBeSpecial(_ bytes: UInt64) -> Bool {
        let (ones, highBits): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        func hasZero(_ bytes: UInt64) -> UInt64 { (bytes &- ones) & ~bytes }
        let isControl = (bytes &- ones &* 0x20) & ~bytes
        let isMarkup = hasZero(bytes ^ ones &* UInt64(UInt8(ascii: "&"))) | hasZero(bytes ^ ones &* UInt64(UInt8(ascii: "]")))
        return (bytes | isControl | isMarkup) & highBits != 0
    }

    /// Whether all characters and references of a text or a value are allowed (XML 1.0, sections 2.2, 2.4
    /// and 4.1).
    private static func isWellFormed(_ piece: Piece) -> Bool {
        var position = 0
        while position < piece.count {
            let rest = UnsafeRawBufferPointer(start: piece.start + position, count: piece.count - position)
            let length: Int?
            switch rest[0] {
            case 0x09, 0x0A: length = 1
            case ..<0x20: length = nil
            case UInt8(ascii: "&"): length = lengthOfReference(rest)
            case UInt8(ascii: "]"): length = rest.starts(with: "]]>".utf8) ? nil : 1
            case ..<0x80: length = 1
            default: length = lengthOfCharacter(rest)
            }
            guard let length else { return false }
            position += length
        }
        return true
    }

    /// Returns the length of the reference at the beginning of `rest`. Returns `nil` if the reference is
    /// not understood here.
    private static func lengthOfReference(_ rest: UnsafeRawBufferPointer) -> Int? {
        if let name = names.first(where: { begins(rest, with: $0.text) }) { return name.text.utf8CodeUnitCount }
        guard rest.count > 2, rest[1] == UInt8(ascii: "#") else { return nil }
        let digits = rest[2...].prefix(8).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let number = UInt32(String(decoding: digits, as: UTF8.self)), digits.endIndex < rest.count,
            rest[digits.endIndex] == UInt8(ascii: ";")
        else { return nil }
        switch number {
        case 0x09, 0x0A, 0x0D, 0x20...0xD7FF, 0xE000...0xFFFD: return digits.endIndex + 1
        default: return nil
        }
    }

    /// Returns the length of the UTF-8 character beyond ASCII at the beginning of `rest`, or `nil` if it is
    /// not allowed in XML.
    private static func lengthOfCharacter(_ rest: UnsafeRawBufferPointer) -> Int? {
        let length: Int
        switch rest[0] {
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF: length = 3
        case 0xF0...0xF4: length = 4
        default: return nil
        }
        guard rest.count >= length, rest[1..<length].allSatisfy({ $0 & 0xC0 == 0x80 }) else { return nil }
        switch (rest[0], rest[1]) {
        // Other bytes have the same character, or it is a surrogate or beyond Unicode.
        case (0xE0, ..<0xA0), (0xED, 0xA0...), (0xF0, ..<0x90), (0xF4, 0x90...): return nil
        // U+FFFE and U+FFFF are no characters.
        case (0xEF, 0xBF) where rest[2] >= 0xBE: return nil
        default: return length
        }
    }

    private static func begins(_ bytes: UnsafeRawBufferPointer, with text: StaticString) -> Bool {
        bytes.count >= text.utf8CodeUnitCount && memcmp(bytes.baseAddress!, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// Writes the characters of a piece to `target`, and returns their number of bytes, which is at most
    /// that of the piece. References to characters by number are unusual here.
    static func write(_ piece: Piece, to target: UnsafeMutablePointer<UInt8>) throws(Unusual) -> Int {
        if !piece.hasReferences {
            target.update(from: piece.start, count: piece.count)
            return piece.count
        }
        var written = 0
        var position = 0
        while position < piece.count {
            var byte = piece.start[position]
            var length = 1
            if byte == UInt8(ascii: "&") {
                let rest = UnsafeRawBufferPointer(start: piece.start + position, count: piece.count - position)
                guard let name = names.first(where: { begins(rest, with: $0.text) }) else { throw Unusual() }
                (byte, length) = (name.character, name.text.utf8CodeUnitCount)
            }
            target[written] = byte
            written += 1
            position += length
        }
        return written
    }
}
