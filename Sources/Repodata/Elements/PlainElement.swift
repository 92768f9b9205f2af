import Compression
import Glibc

/// A walk over a `<package>` element that checks whether it has createrepo_c's layout. If so, its bytes
/// can be copied unchanged into another repository's document. The walk makes sure that they are
/// well-formed and contain only rpm-md.
///
/// An element of another layout has to be parsed and written again. Examples are another order,
/// comments, other elements or attributes, single quotes, and entities that XML does not define itself.
/// Most repositories have no such elements, so the walk saves the time for parsing.
///
/// Each function returns whether the text at `next` is plain, and moves `next` behind it.
struct PlainElement {
    private let start: UnsafePointer<UInt8>
    private let end: UnsafePointer<UInt8>
    private var next: UnsafePointer<UInt8>
    /// Whether all bytes so far are ASCII.
    private var isASCII = true
    /// The range of the `<location>` element, the only one that depends on the repository.
    private var location: Range<Int>?

    /// Returns the range of `<location>` in the element of primary. Returns `nil` if the element is not
    /// plain or belongs to another package than `record`.
    static func location(in primary: UnsafeRawBufferPointer, of record: PackageRecord) -> Range<Int>? {
        walk(primary) { $0.primary(of: record) }?.location
    }

    /// Returns whether the element is plain and belongs to the package `record`.
    static func isPlain(_ bytes: UnsafeRawBufferPointer, _ document: MetadataDocument, of record: PackageRecord) -> Bool {
        switch document {
        case .primary: location(in: bytes, of: record) != nil
        case .filelists: walk(bytes) { $0.filelists(of: record) } != nil
        case .other: walk(bytes) { $0.other(of: record) } != nil
        }
    }

    /// Returns the beginning of the package's element in filelists and other, up to its version.
    static func opening(of record: PackageRecord) -> String {
        let nevra = record.nevra
        return "<package pkgid=\"\(record.pkgid.hex)\" name=\"\(escaped(nevra.name))\" arch=\"\(escaped(nevra.arch))\">"
            + "<version epoch=\"\(nevra.epoch)\" ver=\"\(escaped(nevra.version))\" rel=\"\(escaped(nevra.release))\"/>"
    }

    /// Returns `text` with escapes, as the value of an attribute.
    static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }

    /// Walks over all of `bytes`. Returns `nil` if they are not plain.
    private static func walk(_ bytes: UnsafeRawBufferPointer, _ body: (inout PlainElement) -> Bool) -> PlainElement? {
        guard let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return nil }
        var walk = PlainElement(start: start, end: start + bytes.count, next: start)
        guard body(&walk), walk.next == walk.end, walk.isASCII || hasXMLCharactersOnly(bytes) else { return nil }
        return walk
    }

    private static func hasXMLCharactersOnly(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard let text = String(validating: bytes, as: UTF8.self) else { return false }
        return text.unicodeScalars.allSatisfy(isXMLCharacter)
    }

    private static func isXMLCharacter(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x7F || (scalar.value > 0x9F && scalar.value != 0xFFFE && scalar.value != 0xFFFF)
    }
}

// The three documents, in createrepo_c's order.
extension PlainElement {
    private mutating func primary(of record: PackageRecord) -> Bool {
        let nevra = record.nevra
        return take("<package type=\"rpm\">") && space()
            && take("<name>") && take(nevra.name) && take("</name>") && space()
            && take("<arch>") && take(nevra.arch) && take("</arch>") && space()
            && version(of: nevra)
            && take("<checksum type=\"") && take(record.pkgid.algorithm.rawValue) && take("\" pkgid=\"YES\">")
            && take(record.pkgid.hex) && take("</checksum>") && space()
            && textElement("summary") && textElement("description") && textElement("packager") && textElement("url")
            && take("<time file=\"") && number() && take("\" build=\"") && number() && take("\"/>") && space()
            && take("<size package=\"") && take(String(record.size)) && take("\" installed=\"") && number()
            && take("\" archive=\"") && number() && take("\"/>") && space()
            && place()
            && format()
            && take("</package>")
    }

    private mutating func filelists(of record: PackageRecord) -> Bool {
        guard opening(of: record) else { return false }
        while begins("<file") { guard file() else { return false } }
        return take("</package>")
    }

    private mutating func other(of record: PackageRecord) -> Bool {
        guard opening(of: record) else { return false }
        while take("<changelog author=\"") {
            guard value(), take("\" date=\""), number(), take("\">"), text(), take("</changelog>"), space() else { return false }
        }
        return take("</package>")
    }

    /// Takes the beginning of the package's element in filelists and other, up to its version.
    private mutating func opening(of record: PackageRecord) -> Bool {
        take("<package pkgid=\"") && take(record.pkgid.hex) && take("\" name=\"") && take(record.nevra.name)
            && take("\" arch=\"") && take(record.nevra.arch) && take("\">") && space()
            && version(of: record.nevra)
    }

    private mutating func version(of nevra: NEVRA) -> Bool {
        take("<version epoch=\"") && take(String(nevra.epoch)) && take("\" ver=\"") && take(nevra.version)
            && take("\" rel=\"") && take(nevra.release) && take("\"/>") && space()
    }

    private mutating func place() -> Bool {
        let begin = next - start
        guard take("<location"), optional(" xml:base=\"", { $0.value() }), take(" href=\""), value(), take("\"/>") else { return false }
        location = begin..<(next - start)
        return space()
    }

    private mutating func format() -> Bool {
        guard take("<format>"), space(), textElement("rpm:license"), textElement("rpm:vendor"), textElement("rpm:group"),
            textElement("rpm:buildhost"), textElement("rpm:sourcerpm"), headerRange(), list("rpm:provides"), list("rpm:requires"),
            list("rpm:conflicts"), list("rpm:obsoletes"), list("rpm:suggests"), list("rpm:enhances"), list("rpm:recommends"),
            list("rpm:supplements")
        else { return false }
        while begins("<file") { guard file() else { return false } }
        return take("</format>") && space()
    }

    private mutating func headerRange() -> Bool {
        guard take("<rpm:header-range start=\"") else { return true }
        return number() && take("\" end=\"") && number() && take("\"/>") && space()
    }

    /// Takes a list of dependencies. The list may be missing.
    private mutating func list(_ name: StaticString) -> Bool {
        guard open(name) else { return true }
        if take("/>") { return space() }
        guard take(">"), space() else { return false }
        while take("<rpm:entry name=\"") { guard entry(), space() else { return false } }
        return take("</") && take(name) && take(">") && space()
    }

    private mutating func entry() -> Bool {
        value() && take("\"")
            && optional(" flags=\"", { $0.take("EQ") || $0.take("GE") || $0.take("LE") || $0.take("LT") || $0.take("GT") })
            && optional(" epoch=\"", { $0.number() }) && optional(" ver=\"", { $0.value() }) && optional(" rel=\"", { $0.value() })
            && optional(" pre=\"", { $0.number() })
            && take("/>")
    }

    private mutating func file() -> Bool {
        take("<file") && optional(" type=\"", { $0.take("dir") || $0.take("ghost") }) && take(">") && text() && take("</file>") && space()
    }

    /// Takes an element that contains text. The element may be missing.
    private mutating func textElement(_ name: StaticString) -> Bool {
        guard open(name) else { return true }
        if take("/>") { return space() }
        return take(">") && text() && take("</") && take(name) && take(">") && space()
    }

    /// Takes an attribute that begins with `opening`, its value, and the quote behind it. The attribute may
    /// be missing.
    @inline(__always)
    private mutating func optional(_ opening: StaticString, _ value: (inout PlainElement) -> Bool) -> Bool {
        guard take(opening) else { return true }
        return value(&self) && take("\"")
    }
}

// The characters.
extension PlainElement {
    /// Takes `<` and `name`, if an element of exactly this name begins here.
    private mutating func open(_ name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        guard end - next > count + 1, next[0] == UInt8(ascii: "<"), memcmp(next + 1, name.utf8Start, count) == 0,
            next[count + 1] == UInt8(ascii: ">") || next[count + 1] == UInt8(ascii: "/")
        else { return false }
        next += count + 1
        return true
    }

    @inline(__always)
    private func begins(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        return end - next >= count && memcmp(next, text.utf8Start, count) == 0
    }

    @inline(__always)
    private mutating func take(_ text: StaticString) -> Bool {
        guard begins(text) else { return false }
        next += text.utf8CodeUnitCount
        return true
    }

    private mutating func take(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard let address = bytes.baseAddress, end - next >= bytes.count, memcmp(next, address, bytes.count) == 0 else {
                return bytes.isEmpty
            }
            next += bytes.count
            return true
        }
    }

    /// Takes the white space between two elements, if there is any.
    private mutating func space() -> Bool {
        while next < end, next.pointee == UInt8(ascii: " ") || next.pointee == UInt8(ascii: "\n") { next += 1 }
        return true
    }

    private mutating func number() -> Bool {
        let first = next
        while next < end, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(next.pointee) { next += 1 }
        return (1..<20).contains(next - first)
    }

    /// Takes the value of an attribute, up to the quote behind it.
    private mutating func value() -> Bool { characters(until: UInt8(ascii: "\""), acceptsLineFeed: false) }

    /// Takes an element's text, up to the tag behind it.
    private mutating func text() -> Bool { characters(until: UInt8(ascii: "<"), acceptsLineFeed: true) }

    @inline(__always)
    private mutating func characters(until stop: UInt8, acceptsLineFeed: Bool) -> Bool {
        while next < end {
            let byte = next.pointee
            switch byte {
            case stop: return true
            case UInt8(ascii: "<"), UInt8(ascii: ">"), 0x7F: return false
            case UInt8(ascii: "&"):
                guard reference() else { return false }
                continue
            case UInt8(ascii: "\n"): guard acceptsLineFeed else { return false }
            case UInt8(ascii: "\t"): break
            case 0..<0x20: return false
            case 0x80...: isASCII = false
            default: break
            }
            next += 1
        }
        return false
    }

    /// Takes an entity that XML defines itself, or a character reference. createrepo_c writes the letters
    /// of attributes as references, for example `&#xE9;`.
    private mutating func reference() -> Bool {
        take("&amp;") || take("&lt;") || take("&gt;") || take("&quot;") || take("&apos;") || (take("&#") && characterNumber() && take(";"))
    }

    private mutating func characterNumber() -> Bool {
        let radix: UInt32 = take("x") ? 16 : 10
        let first = next
        var number: UInt32 = 0
        while next < end, next - first < 8, let digit = Self.digit(next.pointee), digit < radix {
            (number, next) = (number &* radix &+ digit, next + 1)
        }
        guard (1..<8).contains(next - first), let scalar = Unicode.Scalar(number) else { return false }
        return number == 9 || number == 10 || number == 13 || (number >= 0x20 && Self.isXMLCharacter(scalar))
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }
}
