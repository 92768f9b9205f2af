extension StringProtocol {
    /// The text without blanks and tabs at its start.
    var withoutLeadingBlanks: String { String(Substring(Substring(self).utf8.drop(while: Self.isBlank))) }

    /// The text without blanks and tabs at its ends.
    var trimmed: String {
        var bytes = Substring(self).utf8.drop(while: Self.isBlank)
        while let last = bytes.last, Self.isBlank(last) { bytes.removeLast() }
        return String(Substring(bytes))
    }

    /// The first word and the rest without the blanks between them.
    var firstWord: (word: String, rest: String) {
        let word = Substring(self).utf8.prefix { !Self.isBlank($0) }
        return (String(Substring(word)), String(Substring(Substring(self).utf8.dropFirst(word.count))).withoutLeadingBlanks)
    }

    /// The words between blanks. Quotes have no meaning.
    var words: [String] { Substring(self).utf8.split(whereSeparator: Self.isBlank).map { String(Substring($0)) } }

    /// The parts between the bytes `separator`, including empty parts.
    func parts(at separator: Unicode.Scalar) -> [String] {
        Substring(self).utf8.split(separator: UInt8(ascii: separator), omittingEmptySubsequences: false).map { String(Substring($0)) }
    }

    /// The parts before and after the first byte `separator`, or `nil` if the text has none.
    func halves(at separator: Unicode.Scalar) -> (before: String, after: String)? {
        let bytes = Substring(self).utf8
        guard let index = bytes.firstIndex(of: UInt8(ascii: separator)) else { return nil }
        return (String(Substring(bytes[..<index])), String(Substring(bytes[bytes.index(after: index)...])))
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
