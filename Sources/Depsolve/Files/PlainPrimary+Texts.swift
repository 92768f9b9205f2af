import CSolv
import Glibc

// The texts of elements, and their way to libsolv.
extension PlainPrimary {
    /// Returns the text of an element, whose start tag has been read up to its name. The element must have
    /// text and no attributes.
    mutating func content(_ endTag: StaticString, isInTag: Bool = true) throws(Unusual) -> Piece {
        if isInTag { try endStartTag() }
        guard !markup.isEmpty else { throw Unusual() }
        let text = try markup.text()
        guard text.count > 0 else { throw Unusual() }
        try markup.skip(endTag)
        return text
    }

    /// Returns the text of an element without attributes, or `nil` if it has no end tag of its own.
    mutating func optionalContent(_ endTag: StaticString) throws(Unusual) -> Piece? {
        guard try markup.attribute() == nil else { throw Unusual() }
        if markup.isEmpty { return nil }
        let text = try markup.text()
        try markup.skip(endTag)
        return text
    }

    /// Skips an element with a text that is not used, and perhaps an attribute.
    mutating func skipContent(_ endTag: StaticString) throws(Unusual) {
        if let attribute = try markup.attribute() {
            guard attribute.name.isText("lang"), try markup.attribute() == nil else { throw Unusual() }
        }
        if markup.isEmpty { return }
        _ = try markup.text()
        try markup.skip(endTag)
    }

    /// Skips an empty element with attributes that are not used.
    mutating func skipNumbers(_ a: StaticString, _ b: StaticString) throws(Unusual) {
        _ = try markup.attributes([a, b])
        guard markup.isEmpty else { throw Unusual() }
    }

    /// Ends a start tag without further attributes. The element must have an end tag of its own.
    mutating func endStartTag() throws(Unusual) {
        guard try markup.attribute() == nil, !markup.isEmpty else { throw Unusual() }
    }

    /// Returns the id of a name.
    @inline(__always)
    func id(of piece: Piece) throws(Unusual) -> Id {
        guard piece.count <= Self.longest else { throw Unusual() }
        if !piece.hasReferences { return pool_strn2id(pool, Self.characters(piece.start), numericCast(piece.count), 1) }
        return pool_strn2id(pool, Self.characters(scratch), numericCast(try write(piece, at: 0)), 1)
    }

    /// Returns a piece as a text for libsolv. The next text is written to the same place.
    func text(of piece: Piece) throws(Unusual) -> UnsafePointer<CChar> {
        scratch[try write(piece, at: 0)] = 0
        return Self.characters(scratch)
    }

    @inline(__always)
    func write(_ piece: Piece, at position: Int) throws(Unusual) -> Int {
        guard piece.count <= Self.longest else { throw Unusual() }
        return try PlainMarkup.write(piece, to: scratch + position)
    }

    @inline(__always)
    static func characters(_ bytes: UnsafePointer<UInt8>) -> UnsafePointer<CChar> {
        UnsafeRawPointer(bytes).assumingMemoryBound(to: CChar.self)
    }
}
