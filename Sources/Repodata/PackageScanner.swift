import Glibc

/// Finds the `<package>` elements of a metadata document by one walk over its bytes, from `<` to `<`.
///
/// That is exact, because well-formed XML has `<` only where markup begins. Comments, CDATA sections and processing instructions may hold
/// anything and are stepped over as a whole. A DOCTYPE, another encoding than UTF-8 and a prefix for what rpm-md has in the default namespace are
/// refused: no tool writes them, and they would change what the names mean.
struct PackageScanner {
    private let bytes: UnsafeRawBufferPointer
    private let document: MetadataDocument

    init(_ bytes: UnsafeRawBufferPointer, _ document: MetadataDocument) {
        self.bytes = bytes
        self.document = document
    }

    /// Calls `found` for each package, in the order of the document, with the bytes of its element. Throws `.malformed` when the document is not
    /// complete or has not as many packages as it declares, `.forbidden` or `.unsupported` for what is refused.
    func scan(_ found: (PackageKey, Range<Int>) throws(RepodataError) -> Void) throws(RepodataError) {
        var declared: Int?
        var count = 0
        var open: Int?
        var key: PackageKey?
        var isComplete = false
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
                    guard let key else { throw malformed("has a package without pkgid (number \(count + 1))") }
                    try found(key, first..<close + 1)
                    count += 1
                    open = nil
                    position = close + 1
                } else if open == nil, isName(document.rootElement, at: start + 2) {
                    isComplete = true
                }
            default:
                position = start + 1
                if declared == nil {
                    let root = try tag(at: start)
                    declared = try declaredCount(root, at: start)
                    isComplete = root.isEmpty
                    position = root.end
                } else if isName("package", at: start + 1) {
                    guard open == nil else { throw malformed("has a package inside of another one (number \(count + 1))") }
                    let element = try tag(at: start)
                    key = document == .primary ? nil : try pkgid(element["pkgid"])
                    position = element.end
                    if element.isEmpty {
                        guard let key else { throw malformed("has a package without pkgid (number \(count + 1))") }
                        try found(key, start..<element.end)
                        count += 1
                    } else {
                        open = start
                    }
                } else if document == .primary, open != nil, key == nil, isName("checksum", at: start + 1) {
                    let element = try tag(at: start)
                    position = element.end
                    if let flag = element["pkgid"], flag.elementsEqual("YES".utf8) {
                        guard let next = index(of: UInt8(ascii: "<"), from: element.end) else { throw ends("inside of a checksum") }
                        key = try pkgid(bytes[element.end..<next])
                    }
                }
            }
        }

        guard let declared else { throw malformed("has no root element") }
        guard open == nil, isComplete else { throw ends("before its last element is closed") }
        guard count == declared else {
            throw malformed("declares \(declared) packages but contains \(count)")
        }
    }
}

// Pieces of XML.
extension PackageScanner {
    /// A start tag: where it ends, and where its attributes' values are.
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

    /// Whether the element name at `position` is exactly `name`.
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
                // Otherwise a missing quote or equals sign would hide the tags that follow.
                guard !bytes[position..<close].contains(UInt8(ascii: "<")), !bytes[position..<nameEnd].contains(UInt8(ascii: ">")) else {
                    throw malformed("has a tag that is not well-formed at byte \(start)")
                }
                tag.attributes.append((name: position..<nameEnd, value: quote + 1..<close))
                position = close + 1
            }
        }
        throw ends("inside of a tag")
    }

    /// The end of the comment or CDATA section at `start`.
    private func endOfDeclaration(at start: Int) throws(RepodataError) -> Int {
        if starts(with: "<!--", at: start) { return try end(of: "-->", from: start + 4) }
        if starts(with: "<![CDATA[", at: start) { return try end(of: "]]>", from: start + 9) }
        throw RepodataError(.forbidden, "\(document.rawValue) has a document type declaration, which is not accepted in metadata")
    }

    private func endOfInstruction(at start: Int) throws(RepodataError) -> Int {
        let end = try end(of: "?>", from: start)
        guard starts(with: "<?xml", at: start), isSpace(byte(start + 5)) else { return end }
        let declaration = String(decoding: bytes[start..<end], as: UTF8.self).lowercased()
        if declaration.contains("encoding"), !declaration.contains("utf-8"), !declaration.contains("utf8"), !declaration.contains("ascii") {
            throw RepodataError(.unsupported, "\(document.rawValue) is not encoded in UTF-8 but says \(declaration)")
        }
        return end
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

    private func pkgid(_ text: Slice<UnsafeRawBufferPointer>?) throws(RepodataError) -> PackageKey {
        guard let text else { throw malformed("has a package without pkgid") }
        var digits = text
        while let first = digits.first, isSpace(first) { digits.removeFirst() }
        while let last = digits.last, isSpace(last) { digits.removeLast() }
        guard let key = PackageKey(hex: digits) else {
            throw malformed("has a pkgid that is not a checksum: \"\(String(decoding: digits.prefix(130), as: UTF8.self))\"")
        }
        return key
    }

    /// Checks the root element at `start` and returns how many packages it declares.
    private func declaredCount(_ root: Tag, at start: Int) throws(RepodataError) -> Int {
        guard isName(document.rootElement, at: start + 1) else {
            let name = String(decoding: bytes[start + 1..<root.end].prefix { !isSpace($0) && $0 != UInt8(ascii: ">") }, as: UTF8.self)
            throw malformed("has the root element <\(name.prefix(100))> instead of <\(document.rootElement)>")
        }
        if let namespace = root["xmlns"], !namespace.elementsEqual(document.namespace.utf8) {
            throw RepodataError(.unsupported, "\(document.rawValue) has another default namespace than \(document.namespace)")
        }
        for (name, value) in root.attributes where bytes[value].elementsEqual(MetadataDocument.rpmNamespace.utf8) {
            let prefix = String(decoding: bytes[name], as: UTF8.self)
            guard prefix == "xmlns:rpm" else {
                throw RepodataError(.unsupported, "\(document.rawValue) declares \(prefix) for the namespace that rpm-md calls rpm")
            }
        }
        guard let packages = root["packages"], let count = Int(String(decoding: packages, as: UTF8.self)), count >= 0 else {
            throw malformed("does not say in packages=\"…\" how many packages it has")
        }
        return count
    }

    private func malformed(_ what: String) -> RepodataError { RepodataError(.malformed, "\(document.rawValue) \(what)") }

    private func ends(_ place: String) -> RepodataError { RepodataError(.truncated, "\(document.rawValue) ends \(place)") }
}
