import Compression

/// Checks that an href of rpm-md stays inside its repository: it is relative and does not contain `..`.
///
/// Hrefs become paths below directories of this host. So those of a foreign repository are checked
/// before they are used in any way.
enum RepositoryHref {
    /// Throws `.forbidden` if `href` does not stay inside the repository. `place` says in the message where
    /// it was found.
    static func check(_ href: String, in place: String) throws(RepodataError) {
        if let reason = objection(to: href) {
            throw RepodataError(.forbidden, "\(place) has the location \"\(href.prefix(200))\", which \(reason)")
        }
    }

    private static func objection(to href: String) -> String? {
        // A server or an HTTP client may decode the href before it looks for `..`, and may treat a backslash
        // as a slash.
        let bytes = href.utf8.contains(UInt8(ascii: "%")) ? percentDecoded(href.utf8) : Array(href.utf8)
        let steps = bytes.split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
        guard let first = steps.first, !bytes.isEmpty else { return "is empty" }
        if bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "contains a control character" }
        if first.isEmpty || isScheme(first) { return "is absolute" }
        if steps.contains(where: { $0.elementsEqual("..".utf8) }) { return "leaves the repository" }
        return nil
    }

    /// Returns whether a URL that begins with `step` has a scheme (RFC 3986, section 3.1).
    private static func isScheme(_ step: ArraySlice<UInt8>) -> Bool {
        guard let colon = step.firstIndex(of: UInt8(ascii: ":")), let first = step.first, isLetter(first) else { return false }
        return step[..<colon].allSatisfy { isLetter($0) || "0123456789+-.".utf8.contains($0) }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func percentDecoded(_ text: String.UTF8View) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2)
            if byte == UInt8(ascii: "%"), digits.count == 2, let decoded = UInt8(String(Substring(digits)), radix: 16) {
                bytes.append(decoded)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
