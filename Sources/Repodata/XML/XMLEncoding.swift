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
        guard start.starts(with: "<?xml".utf8), let end = start.firstRange(of: "?>".utf8)?.lowerBound else { return }
        let declaration = String(decoding: start[..<end], as: UTF8.self)
        guard let found = declaration.firstMatch(of: /\sencoding\s*=\s*["']([^"']*)["']/) else { return }
        let encoding = String(found.output.1)
        guard accepted.contains(encoding.lowercased()) else { throw other(than: "it says encoding=\"\(encoding.prefix(40))\"", name) }
    }

    private static func other(than reason: String, _ name: String) -> RepodataError {
        RepodataError(.unsupported, "\(name) is not encoded in UTF-8: \(reason). Write the repository's metadata anew, with createrepo_c")
    }
}
