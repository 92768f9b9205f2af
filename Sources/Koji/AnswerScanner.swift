/// Reads the XML that hubs write: elements without attributes, text in UTF-8, and the five entities of XML itself.
///
/// It takes a fraction of libxml2's time, and knows nothing else of XML: at whatever is not plain, be it well-formed or not, it stops for good, and
/// ``SAXReader`` reads from there. So there is one judge of what is an error, and one explanation of it.
struct AnswerScanner {
    /// False once it has stopped.
    private(set) var isPlain = true
    /// The XML declaration; empty when there is none.
    private(set) var declaration: [UInt8] = []
    /// Lines that have ended.
    private(set) var lines = 0
    private var hasBegun = false
    private let names = ElementNames()

    /// Declarations say nothing that is not so without them.
    private static let declarations = ["'", "\""].flatMap { quote in
        ["", "UTF-8", "utf-8"].map { encoding in
            let isNamed = encoding.isEmpty ? "" : " encoding=\(quote)\(encoding)\(quote)"
            return Array("<?xml version=\(quote)1.0\(quote)\(isNamed)?>".utf8)
        }
    }
    /// The longest declaration fits in.
    private static let startSize = 64
    private static let entities: [(name: [UInt8], character: UInt8)] = [
        ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&"), ("&quot;", "\""), ("&apos;", "'"),
    ].map { (name: String, character: Unicode.Scalar) in (Array(name.utf8), UInt8(ascii: character)) }

    /// Reads what there is to read in `bytes`, which continue the document; what is left is to be offered again, with more behind it.
    ///
    /// - Returns: how many bytes were read.
    mutating func read<Sink>(
        _ bytes: UnsafeBufferPointer<UInt8>, into grammar: inout AnswerGrammar<Sink>
    ) throws(AnswerProblem) -> Int {
        var position = 0
        if !hasBegun {
            guard bytes.count >= Self.startSize else { return 0 }
            hasBegun = true
            declaration = Self.declarations.first { bytes.starts(with: $0) } ?? []
            position = declaration.count
            // White space before a declaration, for one, is an error.
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

    /// Reads the tag at `position`; `nil` where there is none that is whole and plain.
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

/// The names of XML-RPC's elements as numbers, whose bytes are the letters: a name is told apart by one comparison.
private final class ElementNames {
    /// Bytes of the longest name.
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
    /// Reads text up to the next tag, or to where it is not plain or whole: there `position` stays behind.
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

    /// Where text ends that needs no other look. Of brackets at its end, two are not part of it: `]]>` is an error.
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

    /// The entity at `position`; `nil` where there is none that is whole and plain.
    private mutating func entity(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> (name: [UInt8], character: UInt8)? {
        let rest = bytes[position...]
        if let entity = Self.entities.first(where: { rest.starts(with: $0.name) }) { return entity }
        isPlain = Self.entities.contains { $0.name.starts(with: rest) }
        return nil
    }

    /// The bytes of the character at `position`, which is not ASCII; `nil` where there is none that is whole and that XML allows.
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
