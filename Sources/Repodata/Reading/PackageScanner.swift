import Compression
import Glibc

/// Finds the `<package>` elements of a metadata document by one walk over its bytes, from one `<` to
/// the next.
///
/// The result is exact, because well-formed XML has `<` only at the start of markup. Comments, CDATA
/// sections and processing instructions may contain anything, so each is skipped as a whole.
///
/// - Names are compared as they are written, in any namespace, as in libsolv and
///   libcreaterepo_c. Some servers write another namespace.
/// - The number of packages in the root element is ignored. It is a hint that writers get wrong.
/// - A package without a usable checksum is left out, as in the resolution of dependencies.
struct PackageScanner {
    private let bytes: UnsafeRawBufferPointer
    private let document: MetadataDocument
    private let isFragment: Bool

    /// - Parameter isFragment: Whether the bytes are elements of a document, without its root element.
    init(_ bytes: UnsafeRawBufferPointer, _ document: MetadataDocument, isFragment: Bool = false) {
        self.bytes = bytes
        self.document = document
        self.isFragment = isFragment
    }

    /// Calls `found` for each package, in the order of the document, with the byte range of its element.
    ///
    /// Throws `.malformed` if the document is not well-formed, `.truncated` if it is incomplete, and
    /// `.forbidden` if it has a document type declaration.
    func scan(_ found: (PackageKey, Range<Int>) throws(RepodataError) -> Void) throws(RepodataError) {
        var hasRoot = isFragment
        var count = 0
        var open: Int?
        var key: PackageKey?
        var isComplete = isFragment
        var position = 0

        while let start = index(of: UInt8(ascii: "<"), from: position) {
            switch byte(start + 1) {
            case UInt8(ascii: "!"):
                position = try endOfDeclaration(at: start)
            case UInt8(ascii: "?"):
                position = try endOfInstruction(at: start)
            case UInt8(ascii: "/"):
                position = start + 2
                if let first = open, isName("package", at: start + 2) {
                    guard let close = index(of: UInt8(ascii: ">"), from: start) else { throw ends("inside of a tag") }
                    if let key { try found(key, first..<close + 1) }
                    count += 1
                    open = nil
                    position = close + 1
                } else if open == nil, isName(document.rootElement, at: start + 2) {
                    isComplete = true
                }
            default:
                position = start + 1
                if !hasRoot {
                    let root = try tag(at: start)
                    try checkName(of: root, at: start)
                    hasRoot = true
                    isComplete = root.isEmpty
                    position = root.end
                } else if isName("package", at: start + 1) {
                    guard open == nil else { throw malformed("has a package inside of another one (number \(count + 1))") }
                    let element = try tag(at: start)
                    key = document == .primary ? nil : element["pkgid"].flatMap { pkgid($0) }
                    position = element.end
                    if element.isEmpty {
                        if let key { try found(key, start..<element.end) }
                        count += 1
                    } else {
                        open = start
                    }
                } else if document == .primary, open != nil, key == nil, isName("checksum", at: start + 1) {
                    let element = try tag(at: start)
                    position = element.end
                    if let flag = element["pkgid"], flag.elementsEqual("YES".utf8) {
                        guard let next = index(of: UInt8(ascii: "<"), from: element.end) else { throw ends("inside of a checksum") }
                        key = pkgid(bytes[element.end..<next])
                    }
                }
            }
        }

        guard hasRoot else { throw malformed("has no root element") }
        guard open == nil, isComplete else { throw ends("before its last element is closed") }
    }
}

// Pieces of XML.
extension PackageScanner {
    /// A start tag, with the position of its end and the positions of its attributes' values.
    private struct Tag {
        let bytes: UnsafeRawBufferPointer
        var attributes: [(name: Range<Int>, value: Range<Int>)] = []
        var end = 0
        var isEmpty = false

        subscript(name: StaticString) -> Slice<UnsafeRawBufferPointer>? {
            let wanted = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            return attributes.first { bytes[$0.name].elementsEqual(wanted) }.map { bytes[$0.value] }
        }
    }

    private func index(of wanted: UInt8, from position: Int) -> Int? {
        guard let base = bytes.baseAddress, position < bytes.count else { return nil }
        return memchr(base + position, Int32(wanted), bytes.count - position).map { UnsafeRawPointer($0) - base }
    }

    private func byte(_ position: Int) -> UInt8 { position < bytes.count ? bytes[position] : 0 }

    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D }

    /// Returns whether the element name at `position` is exactly `name`.
    private func isName(_ name: String, at position: Int) -> Bool {
        var end = position
        for expected in name.utf8 {
            guard byte(end) == expected else { return false }
            end += 1
        }
        let next = byte(end)
        return isSpace(next) || next == UInt8(ascii: ">") || next == UInt8(ascii: "/")
    }

    private func tag(at start: Int) throws(RepodataError) -> Tag {
        var tag = Tag(bytes: bytes)
        var position = start + 1
        while !isSpace(byte(position)), byte(position) != UInt8(ascii: ">"), byte(position) != UInt8(ascii: "/"), position < bytes.count {
            position += 1
        }
        while position < bytes.count {
            switch byte(position) {
            case UInt8(ascii: ">"):
                tag.end = position + 1
                tag.isEmpty = byte(position - 1) == UInt8(ascii: "/")
                return tag
            case let byte where isSpace(byte) || byte == UInt8(ascii: "/"):
                position += 1
            default:
                guard let equals = index(of: UInt8(ascii: "="), from: position) else { throw ends("inside of a tag") }
                var nameEnd = equals
                while nameEnd > position, isSpace(byte(nameEnd - 1)) { nameEnd -= 1 }
                var quote = equals + 1
                while isSpace(byte(quote)) { quote += 1 }
                guard byte(quote) == UInt8(ascii: "\"") || byte(quote) == UInt8(ascii: "'") else {
                    throw malformed("has an attribute without quotes at byte \(position)")
                }
                guard let close = index(of: byte(quote), from: quote + 1) else { throw ends("inside of a tag") }
                // Without this check, a missing quote or equals sign would hide the tags that follow.
                guard !bytes[position..<close].contains(UInt8(ascii: "<")), !bytes[position..<nameEnd].contains(UInt8(ascii: ">")) else {
                    throw malformed("has a tag that is not well-formed at byte \(start)")
                }
                tag.attributes.append((name: position..<nameEnd, value: quote + 1..<close))
                position = close + 1
            }
        }
        throw ends("inside of a tag")
    }

    /// Returns the end of the comment or CDATA section at `start`. Throws `.forbidden` for any other
    /// declaration.
    private func endOfDeclaration(at start: Int) throws(RepodataError) -> Int {
        if starts(with: "<!--", at: start) { return try end(of: "-->", from: start + 4) }
        if starts(with: "<![CDATA[", at: start) { return try end(of: "]]>", from: start + 9) }
        throw RepodataError(.forbidden, "\(document.rawValue) has a document type declaration, which is not accepted in metadata")
    }

    private func endOfInstruction(at start: Int) throws(RepodataError) -> Int {
        try end(of: "?>", from: start)
    }

    private func starts(with text: StaticString, at position: Int) -> Bool {
        position + text.utf8CodeUnitCount <= bytes.count
            && memcmp(bytes.baseAddress! + position, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    private func end(of text: StaticString, from position: Int) throws(RepodataError) -> Int {
        var position = position
        while let found = index(of: text.utf8Start.pointee, from: position) {
            if starts(with: text, at: found) { return found + text.utf8CodeUnitCount }
            position = found + 1
        }
        throw ends("before \(text)")
    }

    private func pkgid(_ text: Slice<UnsafeRawBufferPointer>) -> PackageKey? {
        var digits = text
        while let first = digits.first, isSpace(first) { digits.removeFirst() }
        while let last = digits.last, isSpace(last) { digits.removeLast() }
        return PackageKey(hex: digits)
    }

    private func checkName(of root: Tag, at start: Int) throws(RepodataError) {
        guard isName(document.rootElement, at: start + 1) else {
            let name = String(decoding: bytes[start + 1..<root.end].prefix { !isSpace($0) && $0 != UInt8(ascii: ">") }, as: UTF8.self)
            throw malformed("has the root element <\(name.prefix(100))> instead of <\(document.rootElement)>")
        }
    }

    private func malformed(_ what: String) -> RepodataError { RepodataError(.malformed, "\(document.rawValue) \(what)") }

    private func ends(_ place: String) -> RepodataError { RepodataError(.truncated, "\(document.rawValue) ends \(place)") }
}
