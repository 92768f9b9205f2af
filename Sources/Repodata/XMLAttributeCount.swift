/// How many attributes the elements of a small XML document have, found before a parser sees it.
///
/// libxml2 compares each attribute of an element with all others of the element. So the time grows with the square of their number: an element with a
/// million attributes, 8 MB of text, takes minutes.
enum XMLAttributeCount {
    /// Elements of rpm-md have three at most.
    static let most = 64

    /// Throws `.malformed` if an element may have more than ``most`` attributes.
    static func check(_ bytes: [UInt8], named name: String) throws(RepodataError) {
        var rest = bytes[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "<")) {
            rest = rest[start...]
            // In these, quotes and equals signs mean nothing. One without an end is for the parser to refuse.
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

    /// What comes behind the tag that `bytes` begin with.
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
