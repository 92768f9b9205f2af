/// An href of rpm-md that stays inside its repository: relative, and without a step upwards.
///
/// Hrefs become paths below directories of this host, so those of a foreign repository are checked before anything else is done with them.
enum RepositoryHref {
    /// Refuses `href` with an error that says where it was found.
    static func check(_ href: String, in place: String) throws(RepodataError) {
        if let reason = objection(to: href) {
            throw RepodataError(.forbidden, "\(place) has the location \"\(href.prefix(200))\", which \(reason)")
        }
    }

    private static func objection(to href: String) -> String? {
        if href.isEmpty { return "is empty" }
        if href.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) { return "contains a control character" }
        // What a server or an HTTP client may decode before it looks for steps upwards.
        let plain = href.lowercased()
            .replacing("%2e", with: ".").replacing("%2f", with: "/").replacing("%5c", with: "\\").replacing("\\", with: "/")
        if plain.hasPrefix("/") || hasScheme(plain) { return "is absolute" }
        if plain.contains("%00") { return "contains a control character" }
        if plain.split(separator: "/").contains("..") { return "leaves the repository" }
        return nil
    }

    /// RFC 3986, section 3.1.
    private static func hasScheme(_ href: String) -> Bool {
        guard let colon = href.firstIndex(of: ":"), let first = href.first, first.isASCII, first.isLetter else { return false }
        return href[..<colon].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }
}
