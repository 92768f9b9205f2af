import Glibc

/// A `<package>` element that is written as createrepo_c writes them, so that its very bytes can go into another repository's document, where it has
/// been made sure that they are well-formed and say nothing that is not rpm-md.
///
/// Elements of any other look (comments, other elements or attributes, single quotes, entities that XML does not have by itself) have to be parsed and
/// written anew. Most repositories have none: this is what spares parsing.
struct PlainElement {
    /// What an element may be inside of another one.
    enum Kind {
        case package, text, empty, format, list, entry, file, changelog, version, checksum, location, name, arch

        var hasText: Bool {
            switch self {
            case .text, .file, .changelog, .checksum, .name, .arch: true
            default: false
            }
        }

        var isEmpty: Bool { [.empty, .entry, .version, .location].contains(self) }
    }

    /// A text as the value of an attribute.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }

    private let bytes: UnsafeRawBufferPointer
    private let document: MetadataDocument
    /// The element that says where the file is, the only one that depends on the repository.
    private(set) var location: Range<Int>?
    private var position = 0
    /// Whether the element says what a package record does, each once.
    private var confirmed: Set<Confirmation> = []
    private let record: PackageRecord

    private enum Confirmation { case name, arch, version, checksum, pkgid }

    /// `nil` for an element that is not plain, or of another package than `record`.
    init?(_ bytes: UnsafeRawBufferPointer, _ document: MetadataDocument, of record: PackageRecord) {
        self.bytes = bytes
        self.document = document
        self.record = record
        guard Self.isText(bytes), element(in: nil), position == bytes.count else { return nil }
        guard confirmed == (document == .primary ? [.name, .arch, .version, .checksum] : [.name, .arch, .version, .pkgid]) else {
            return nil
        }
        if document == .primary, location == nil { return nil }
    }

    /// The children that an element may have.
    private func kind(of name: UnsafeRawBufferPointer, in parent: Kind?) -> Kind? {
        func `is`(_ text: StaticString) -> Bool { Self.equal(name, text) }
        switch (document, parent) {
        case (_, nil): return `is`("package") ? .package : nil
        case (.filelists, .package): return `is`("file") ? .file : `is`("version") ? .version : nil
        case (.other, .package): return `is`("changelog") ? .changelog : `is`("version") ? .version : nil
        case (.primary, .list): return `is`("rpm:entry") ? .entry : nil
        case (.primary, .format):
            if `is`("file") { return .file }
            for text in ["rpm:license", "rpm:vendor", "rpm:group", "rpm:buildhost", "rpm:sourcerpm"] as [StaticString] where `is`(text) {
                return .text
            }
            if `is`("rpm:header-range") { return .empty }
            for text in [
                "rpm:provides", "rpm:requires", "rpm:conflicts", "rpm:obsoletes", "rpm:suggests", "rpm:enhances", "rpm:recommends",
                "rpm:supplements",
            ] as [StaticString] where `is`(text) { return .list }
            return nil
        case (.primary, .package):
            if `is`("name") { return .name }
            if `is`("arch") { return .arch }
            if `is`("version") { return .version }
            if `is`("checksum") { return .checksum }
            if `is`("location") { return .location }
            if `is`("format") { return .format }
            for text in ["summary", "description", "packager", "url"] as [StaticString] where `is`(text) { return .text }
            for text in ["time", "size"] as [StaticString] where `is`(text) { return .empty }
            return nil
        default: return nil
        }
    }

    private static func attributes(of kind: Kind, in document: MetadataDocument) -> [StaticString] {
        switch kind {
        case .package: document == .primary ? ["type"] : ["pkgid", "name", "arch"]
        case .version: ["epoch", "ver", "rel"]
        case .checksum: ["type", "pkgid"]
        case .location: ["href", "xml:base"]
        case .entry: ["name", "flags", "epoch", "ver", "rel", "pre"]
        case .file: ["type"]
        case .changelog: ["author", "date"]
        case .empty: ["file", "build", "package", "installed", "archive", "start", "end"]
        case .text, .format, .list, .name, .arch: []
        }
    }
}

// The walk. Each function says whether what it found is plain, and leaves `position` behind it.
extension PlainElement {
    private mutating func element(in parent: Kind?) -> Bool {
        let start = position
        guard take("<") else { return false }
        let nameStart = position
        while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
        let name = nameStart..<position
        guard let kind = kind(of: slice(name), in: parent), let attributes = attributes(of: kind) else { return false }
        if take("/>") {
            // createrepo_c writes what has no children either way.
            guard kind.isEmpty || kind == .list else { return false }
        } else {
            guard take(">"), !kind.isEmpty else { return false }
            let content = position
            if kind.hasText {
                guard text() else { return false }
                guard confirm(kind, attributes, text: slice(content..<position)) else { return false }
            } else {
                guard children(of: kind) else { return false }
            }
            guard take("</"), takeAgain(name), take(">") else { return false }
        }
        if kind == .location {
            guard location == nil else { return false }
            location = start..<position
        }
        return kind.hasText || confirm(kind, attributes, text: slice(0..<0))
    }

    private mutating func children(of kind: Kind) -> Bool {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: " "), UInt8(ascii: "\n"): position += 1
            case UInt8(ascii: "<"):
                if position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "/") { return true }
                guard element(in: kind) else { return false }
            default: return false
            }
        }
        return false
    }

    private mutating func text() -> Bool {
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "<"): return true
            case UInt8(ascii: ">"): return false
            case UInt8(ascii: "&"): guard reference() else { return false }
            default: position += 1
            }
        }
        return false
    }

    private typealias Attribute = (name: StaticString, value: UnsafeRawBufferPointer)

    private mutating func attributes(of kind: Kind) -> [Attribute]? {
        var found: [Attribute] = []
        var allowed = Self.attributes(of: kind, in: document)
        while position < bytes.count, bytes[position] == UInt8(ascii: " ") {
            position += 1
            let start = position
            while position < bytes.count, Self.isNameByte(bytes[position]) { position += 1 }
            let name = slice(start..<position)
            // Each once.
            guard let index = allowed.firstIndex(where: { Self.equal(name, $0) }), take("=\"") else { return nil }
            let value = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "\"") {
                switch bytes[position] {
                case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\n"): return nil
                case UInt8(ascii: "&"): guard reference() else { return nil }
                default: position += 1
                }
            }
            found.append((allowed.remove(at: index), slice(value..<position)))
            guard take("\"") else { return nil }
        }
        return found
    }

    /// An entity that XML has by itself, or a line feed, tab or carriage return by its number.
    private mutating func reference() -> Bool {
        for text in ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#13;", "&#10;", "&#9;"] as [StaticString] where take(text) {
            return true
        }
        return false
    }

    /// Whether the element says of the package what its record does, if it says any of that.
    private mutating func confirm(_ kind: Kind, _ attributes: [Attribute], text: UnsafeRawBufferPointer) -> Bool {
        func value(_ name: StaticString) -> UnsafeRawBufferPointer? {
            attributes.first { Self.equal(UnsafeRawBufferPointer(start: $0.name.utf8Start, count: $0.name.utf8CodeUnitCount), name) }?.value
        }
        func says(_ value: UnsafeRawBufferPointer?, _ text: String) -> Bool { value.map { $0.elementsEqual(text.utf8) } ?? false }
        let nevra = record.nevra
        switch kind {
        case .name: return says(text, nevra.name) && confirmed.insert(.name).inserted
        case .arch: return says(text, nevra.arch) && confirmed.insert(.arch).inserted
        case .version:
            return says(value("ver"), nevra.version) && says(value("rel"), nevra.release) && says(value("epoch"), String(nevra.epoch))
                && confirmed.insert(.version).inserted
        case .checksum:
            return says(text, record.pkgid.hex) && says(value("pkgid"), "YES") && says(value("type"), record.pkgid.algorithm.rawValue)
                && confirmed.insert(.checksum).inserted
        case .package where document == .primary: return says(value("type"), "rpm")
        case .package:
            confirmed.formUnion([.name, .arch, .pkgid])
            return says(value("name"), nevra.name) && says(value("arch"), nevra.arch) && says(value("pkgid"), record.pkgid.hex)
        default: return true
        }
    }

    // MARK: Bytes

    private func slice(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range]) }

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count, memcmp(bytes.baseAddress! + position, text.utf8Start, count) == 0 else { return false }
        position += count
        return true
    }

    private mutating func takeAgain(_ range: Range<Int>) -> Bool {
        guard position + range.count <= bytes.count,
            memcmp(bytes.baseAddress! + position, bytes.baseAddress! + range.lowerBound, range.count) == 0
        else { return false }
        position += range.count
        return true
    }

    private static func equal(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
        bytes.count == text.utf8CodeUnitCount && (bytes.isEmpty || memcmp(bytes.baseAddress!, text.utf8Start, bytes.count) == 0)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "-")
    }

    /// Whether it is UTF-8 without what XML cannot have.
    private static func isText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var isASCII = true
        for byte in bytes {
            if byte < 0x20, byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\t") { return false }
            if byte >= 0x7F { isASCII = false }
        }
        if isASCII { return true }
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        return text.unicodeScalars.allSatisfy { $0.value < 0x7F || ($0.value > 0x9F && $0.value != 0xFFFE && $0.value != 0xFFFF) }
    }
}
