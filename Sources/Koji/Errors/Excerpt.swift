import ForeignText

/// Excerpts of a hub's texts for messages: short, on one line, without control characters.
enum Excerpt {
    static func of(_ bytes: some Collection<UInt8>, longest: Int = 200) -> String {
        of(String(decoding: bytes.prefix(4 * longest), as: UTF8.self), longest: longest)
    }

    static func of(_ text: String, longest: Int = 200) -> String {
        let line = String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(4 * longest).map { $0.isInvisible ? " " : $0 }))
        let words = line.split(separator: " ").joined(separator: " ")
        return words.count > longest ? "\(words.prefix(longest))…" : words
    }
}
