extension StringProtocol {
    /// Returns the text without the given character at its end, however often it occurs there.
    func trimmingSuffix(_ character: Character) -> SubSequence {
        var rest = self[...]
        while rest.last == character { rest = rest.dropLast() }
        return rest
    }

    /// The text, percent-encoded for a URL's path or query, between two delimiters.
    var percentEncoded: String {
        utf8.map { byte in
            if byte.isASCIIAlphanumeric || "-._~".utf8.contains(byte) { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16, uppercase: true)
            return digits.count == 1 ? "%0\(digits)" : "%\(digits)"
        }.joined()
    }
}
