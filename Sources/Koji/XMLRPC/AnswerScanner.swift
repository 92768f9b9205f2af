/// A fast scanner for the XML that hubs write: elements without attributes, text in UTF-8, and the five
/// entities of XML itself.
///
/// It takes a fraction of libxml2's time, and supports no other XML. At the first place that is not
/// plain, well-formed or not, it stops for good. ``SAXReader`` then reads from that place. So only one
/// parser decides whether there is an error, and explains it.
struct AnswerScanner {
    /// False after the scanner has stopped.
    private(set) var isPlain = true
    /// The XML declaration, or empty when the document has none.
    private(set) var declaration: [UInt8] = []
    /// The number of lines that have ended.
    private(set) var lines = 0
    private var hasBegun = false
    private let names = ElementNames()

    /// The declarations that the scanner accepts. They state only the defaults of XML, so the scanner can
    /// skip them.
    private static let declarations = ["'", "\""].flatMap { quote in
        ["", "UTF-8", "utf-8"].map { encoding in
            let isNamed = encoding.isEmpty ? "" : " encoding=\(quote)\(encoding)\(quote)"
            return Array("<?xml version=\(quote)1.0\(quote)\(isNamed)?>".utf8)
        }
    }
    /// The number of bytes that the scanner waits for before it begins. The longest declaration fits in.
    private static let startSize = 64
    private static let entities: [(name: [UInt8], character: UInt8)] = [
        ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", "\""), ("&apos;", "'"),
    ].map { (name: String, character: Unicode.Scalar) in (Array(name.utf8), UInt8(ascii: character)) }

    /// Reads as much of `bytes`, the continuation of the document, as it can. The caller must offer the
    /// unread rest again, followed by more bytes.
    ///
    /// - Returns: The number of bytes that were read.
    mutating func read<Sink>(
        _ bytes: UnsafeBufferPointer<UInt8>, into grammar: inout AnswerGrammar<Sink>
    ) throws(AnswerProblem) -> Int {
        var position = 0
        if !hasBegun {
            guard bytes.count >= Self.startSize else { return 0 }
            hasBegun = true
            declaration = Self.declarations.first { bytes.starts(with: $0) } ?? []
            position = declaration.count
            // Anything else stops the scanner, for example white space before a declaration, which is an error.
            guard position > 0 || bytes[0] == UInt8(ascii: "<") else { return stop(0) }
        }
        while position < bytes.count {
            let start = position
            if bytes[position] == UInt8(ascii: "<") {
                if grammar.isOver { return stop(start) }
                guard let tag = tag(bytes, &position) else { return start }
                switch tag {
                case .start(let element): try grammar.start(element)
                case .end(let element):
                    guard element == grammar.innermost else { return stop(start) }
                    try grammar.end(element)
                case .empty(let element):
                    try grammar.start(element)
                    try grammar.end(element)
                }
            } else if grammar.isInText {
                try text(bytes, &position, into: &grammar)
                if position == start { return start }
            } else {
                skipBlanks(bytes, &position)
                if position == start { return stop(start) }
            }
        }
        return position
    }

    private mutating func stop(_ position: Int) -> Int {
        isPlain = false
        return position
    }

    private mutating func skipBlanks(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\n"): lines += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"): break
            default: return
            }
            position += 1
        }
    }
}

// Tags.
extension AnswerScanner {
    private enum Tag {
        case start(XMLRPCElement), end(XMLRPCElement), empty(XMLRPCElement)
    }

    /// Reads the tag at `position`. Returns `nil` when the tag there is not complete or not plain.
    @inline(__always)
    private mutating func tag(_ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int) -> Tag? {
        var cursor = position + 1
        guard cursor < bytes.count else { return nil }
        let isEnd = bytes[cursor] == UInt8(ascii: "/")
        if isEnd { cursor += 1 }
        let nameStart = cursor
        var name: UInt128 = 0
        while cursor < bytes.count {
            let byte = bytes[cursor]
            if byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/") { break }
            guard byte > 0x20, cursor - nameStart < ElementNames.limit else {
                isPlain = false
                return nil
            }
            name = name << 8 | UInt128(byte)
            cursor += 1
        }
        guard cursor < bytes.count else { return nil }
        let isEmpty = bytes[cursor] == UInt8(ascii: "/")
        if isEmpty { cursor += 1 }
        guard cursor < bytes.count else { return nil }
        guard bytes[cursor] == UInt8(ascii: ">"), !(isEmpty && isEnd), let element = names.element(name) else {
            isPlain = false
            return nil
        }
        position = cursor + 1
        return isEmpty ? .empty(element) : isEnd ? .end(element) : .start(element)
    }
}

/// A table of the names of XML-RPC's elements as numbers. The bytes of a number are the letters of the
/// name, so one comparison identifies a name.
///
/// Example: `int` is the number 0x696E74.
private final class ElementNames {
    /// The most bytes that a name may have.
    static let limit = 16

    private let numbers: UnsafeMutableBufferPointer<UInt128>

    init() {
        let elements = XMLRPCElement.allCases
        precondition(elements.allSatisfy { $0.name.utf8.count <= Self.limit })
        numbers = .allocate(capacity: elements.count)
        _ = numbers.initialize(from: elements.map { $0.name.utf8.reduce(0) { $0 << 8 | UInt128($1) } })
    }

    deinit { numbers.deallocate() }

    @inline(__always)
    func element(_ name: UInt128) -> XMLRPCElement? {
        for index in 0..<numbers.count where numbers[index] == name { return XMLRPCElement(rawValue: UInt8(truncatingIfNeeded: index)) }
        return nil
    }
}

// Text.
extension AnswerScanner {
    /// Reads text up to the next tag. It leaves `position` at the first byte that is not plain, or that
    /// begins an incomplete character or entity.
    private mutating func text<Sink>(
        _ bytes: UnsafeBufferPointer<UInt8>, _ position: inout Int, into grammar: inout AnswerGrammar<Sink>
    ) throws(AnswerProblem) {
        while position < bytes.count, bytes[position] != UInt8(ascii: "<") {
            let start = position
            position = endOfASCII(bytes, start)
            if position > start { try grammar.take(UnsafeBufferPointer(rebasing: bytes[start..<position])) }
            guard position < bytes.count else { return }
            switch bytes[position] {
            case UInt8(ascii: "<"): return
            case UInt8(ascii: "&"):
                guard let entity = entity(bytes, position) else { return }
                try withUnsafePointer(to: entity.character) { (character) throws(AnswerProblem) in
                    try grammar.take(UnsafeBufferPointer(start: character, count: 1))
                }
                position += entity.name.count
            case 0x80...:
                guard let count = lengthOfCharacter(bytes, position) else { return }
                try grammar.take(UnsafeBufferPointer(rebasing: bytes[position..<position + count]))
                position += count
            case UInt8(ascii: "]") where position + 2 >= bytes.count: return
            default:
                isPlain = false
                return
            }
        }
    }

    /// Returns the end of the plain ASCII text that begins at `start`. Such text needs no further check.
    ///
    /// If the text ends with brackets, up to two of them are left out, because they may begin `]]>`, which
    /// is an error in text.
    private mutating func endOfASCII(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            if byte >= 0x80 || byte == UInt8(ascii: "<") || byte == UInt8(ascii: "&") || byte == UInt8(ascii: ">") { break }
            if byte < 0x20 {
                if byte == UInt8(ascii: "\n") { lines += 1 } else if byte != UInt8(ascii: "\t") { break }
            }
            position += 1
        }
        guard position == bytes.count || bytes[position] == UInt8(ascii: ">") else { return position }
        for _ in 0..<2 where position > start && bytes[position - 1] == UInt8(ascii: "]") { position -= 1 }
        return position
    }

    /// Returns the entity at `position`, or `nil` when the entity there is not complete or not plain.
    private mutating func entity(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> (name: [UInt8], character: UInt8)? {
        let rest = bytes[position...]
        if let entity = Self.entities.first(where: { rest.starts(with: $0.name) }) { return entity }
        isPlain = Self.entities.contains { $0.name.starts(with: rest) }
        return nil
    }

    /// Returns the number of bytes of the character at `position`, which is not ASCII. Returns `nil` when
    /// the character is not complete, or not allowed in XML.
    private mutating func lengthOfCharacter(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> Int? {
        var rest = bytes[position..<min(position + 4, bytes.count)].makeIterator()
        var decoder = UTF8()
        switch decoder.decode(&rest) {
        case .scalarValue(let scalar) where scalar != "\u{FFFE}" && scalar != "\u{FFFF}": return UTF8.width(scalar)
        case .error where position + 4 > bytes.count: return nil
        default:
            isPlain = false
            return nil
        }
    }
}
