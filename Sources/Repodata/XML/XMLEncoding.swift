public import Compression

/// Checks the encoding that an XML document declares. Metadata is read only as UTF-8.
///
/// The readers of a repository (libsolv, libcreaterepo_c and this service) would interpret other
/// encodings differently. So a document is checked once, before any of them reads it.
public enum XMLEncoding {
    private static let accepted: Set<String> = ["utf-8", "utf8", "us-ascii", "ascii"]

    /// Throws `.unsupported` unless the document `name`, which begins with `start`, is encoded in UTF-8.
    /// Its XML declaration or its first bytes show the encoding.
    public static func check(_ start: some Collection<UInt8>, named name: String) throws(RepodataError) {
        var start = Array(start.prefix(1024))[...]
        if start.starts(with: [0xFF, 0xFE]) || start.starts(with: [0xFE, 0xFF]) || start.prefix(4).contains(0) {
            throw other(than: "its first bytes are those of UTF-16 or UTF-32", name)
        }
        if start.starts(with: [0xEF, 0xBB, 0xBF]) { start = start.dropFirst(3) }
        guard start.starts(with: "<?xml".utf8), let encoding = declared(in: start.dropFirst(5)) else { return }
        guard accepted.contains(encoding.lowercased()) else { throw other(than: "it says encoding=\"\(encoding.prefix(40))\"", name) }
    }

    /// Returns the value of `encoding` in an XML declaration, without the `<?xml` at its beginning.
    ///
    /// Each compose reads some declarations. A regular expression would be compiled for each of them.
    private static func declared(in start: ArraySlice<UInt8>) -> String? {
        for at in start.indices {
            let rest = start[at...]
            if rest.starts(with: "?>".utf8) { return nil }
            guard isSpace(start[at]), rest.dropFirst().starts(with: "encoding".utf8) else { continue }
            var value = rest.dropFirst(1 + "encoding".utf8.count).drop(while: isSpace)
            guard value.popFirst() == UInt8(ascii: "=") else { continue }
            value = value.drop(while: isSpace)
            guard let quote = value.popFirst(), isQuote(quote), let end = value.firstIndex(where: isQuote) else { continue }
            return String(decoding: value[..<end], as: UTF8.self)
        }
        return nil
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }

    private static func other(than reason: String, _ name: String) -> RepodataError {
        RepodataError(.unsupported, "\(name) is not encoded in UTF-8: \(reason). Write the repository's metadata anew, with createrepo_c")
    }
}
