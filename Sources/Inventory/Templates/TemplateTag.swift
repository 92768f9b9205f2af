/// A *template tag* is a `{{…}}` in a template.
struct TemplateTag: Hashable {
    let kind: Kind
    /// The name of a value, section, block or template. It is empty for a comment.
    let name: String
    /// The line, counted from 1.
    let line: Int
    /// The number of bytes of text between the tag before and this one.
    let bytesBefore: Int

    enum Kind: Hashable {
        case value, section, inverted, end, partial, parent, block, comment
    }

    /// Finds the tags of a template.
    ///
    /// The scanner is stricter than the library that renders: each tag is on one line, and the delimiters
    /// cannot be changed. So both see the same tags.
    /// - Returns: The tags, and the number of bytes after the last one.
    static func tags(in text: String, file: String) throws(InventoryProblem) -> (tags: [TemplateTag], rest: Int) {
        var tags: [TemplateTag] = []
        var bytesBefore = 0
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var rest = line
            while let start = rest.firstRange(of: "{{") {
                bytesBefore += rest[..<start.lowerBound].utf8.count
                let inside = rest[start.upperBound...]
                guard let tag = tag(inside) else {
                    throw InventoryProblem(file: file, line: index + 1, "there is no correct tag after {{: \(String(inside).quotedStart)")
                }
                tags.append(TemplateTag(kind: tag.kind, name: tag.name, line: index + 1, bytesBefore: bytesBefore))
                bytesBefore = 0
                rest = inside.dropFirst(tag.length)
            }
            bytesBefore += rest.utf8.count + 1
        }
        return (tags, bytesBefore)
    }

    /// Returns the tag at the start of a text after `{{`, with the number of its characters.
    private static func tag(_ text: Substring) -> (kind: Kind, name: String, length: Int)? {
        let kinds: [Character: Kind] = [
            "#": .section, "^": .inverted, "/": .end, ">": .partial, "<": .parent, "$": .block, "&": .value, "{": .value, "!": .comment,
        ]
        let sign = text.first.flatMap { kinds[$0] == nil ? nil : $0 }
        let kind = sign.flatMap { kinds[$0] } ?? .value
        let closing = sign == "{" ? "}}}" : "}}"
        guard let end = text.firstRange(of: closing) else { return nil }
        let length = text.distance(from: text.startIndex, to: end.upperBound)
        if kind == .comment { return (kind, "", length) }
        let name = text[..<end.lowerBound].dropFirst(sign == nil ? 0 : 1).drop { $0 == " " }
        let bare = String(name.reversed().drop { $0 == " " }.reversed())
        let isPath = kind == .partial || kind == .parent || kind == .end
        let isRight =
            bare == "." && kind != .partial
            || !bare.isEmpty && bare.utf8.allSatisfy { Self.isNameByte($0) || isPath && $0 == UInt8(ascii: "/") }
        return isRight ? (kind, bare, length) : nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension String {
    fileprivate var quotedStart: String { "\"\(prefix(40))\"" }
}
