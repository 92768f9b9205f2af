import Compression

/// Limits the number of attributes in the elements of a small XML document, before a parser reads it.
///
/// libxml2 compares each attribute of an element with all others of the element, so the time grows with
/// the square of their number. An element with a million attributes, in 8 MB of text, takes minutes.
enum XMLAttributeCount {
    /// The largest accepted number of attributes. Elements of rpm-md have at most three.
    static let most = 64

    /// Throws `.malformed` if an element may have more than ``most`` attributes.
    static func check(_ bytes: [UInt8], named name: String) throws(RepodataError) {
        var rest = bytes[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[start...]
            // Quotes and equals signs have no meaning in these sections. The parser refuses a section without an
            // end.
            if let section = sections.first(where: { rest.starts(with: $0.start.utf8) }) {
                let inside = rest.dropFirst(section.start.utf8.count)
                guard let end = inside.firstRange(of: section.end.utf8) else { return }
                rest = inside[end.upperBound...]
            } else {
                rest = try skipTag(rest, name)
            }
        }
    }

    private static let sections = [(start: "<!--", end: "-->"), (start: "<![CDATA[", end: "]]>"), (start: "<?", end: "?>")]

    /// Returns the bytes after the tag at the beginning of `bytes`. Throws `.malformed` if the tag has more
    /// than ``most`` attributes.
    private static func skipTag(_ bytes: ArraySlice<UInt8>, _ name: String) throws(RepodataError) -> ArraySlice<UInt8> {
        var quote: UInt8?
        var count = 0
        for index in bytes.indices {
            let byte = bytes[index]
            if let open = quote {
                if byte == open { quote = nil }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"): quote = byte
            case UInt8(ascii: ">"): return bytes[(index + 1)...]
            case UInt8(ascii: "="):
                count += 1
                if count > most { throw RepodataError(.malformed, "\(name) has an element with more than \(most) attributes") }
            default: break
            }
        }
        return []
    }
}
