import Foundation

/// A writer of XML-RPC values as XML, with the same layout as Koji's own client and hub.
package struct XMLRPCWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func raw(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Writes text as the content of an element, with escapes.
    ///
    /// - Throws: `.argument` for a character that XML 1.0 cannot represent.
    package mutating func text(_ text: String) throws(KojiError) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": raw("&lt;")
            case ">": raw("&gt;")
            case "&": raw("&amp;")
            // A parser turns a carriage return without an escape into a line feed.
            case "\r": raw("&#13;")
            case "\t", "\n": bytes.append(UInt8(ascii: scalar))
            case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}":
                throw KojiError(
                    .argument,
                    "\"\(Excerpt.of(text))\" has a character (U+\(String(scalar.value, radix: 16, uppercase: true))) that XML cannot carry."
                )
            default: bytes.append(contentsOf: UTF8.encode(scalar)!)
            }
        }
    }

    package mutating func value(_ value: XMLRPCValue) throws(KojiError) {
        switch value {
        case .null: return raw("<value><nil/></value>")
        case .bool(let value): value ? raw("<value><boolean>1</boolean></value>\n") : raw("<value><boolean>0</boolean></value>\n")
        case .int(let value) where Int32(exactly: value) != nil: plain("<value><int>", "\(value)", "</int></value>\n")
        case .int(let value): plain("<value><i8>", "\(value)", "</i8></value>\n")
        case .double(let value):
            guard value.isFinite else { throw KojiError(.argument, "XML-RPC has no way to write the number \(value).") }
            plain("<value><double>", "\(value)", "</double></value>\n")
        case .string(let value):
            raw("<value><string>")
            try text(value)
            raw("</string></value>\n")
        case .base64(let value): plain("<value><base64>\n", Data(value).base64EncodedString(), "\n</base64></value>\n")
        case .dateTime(let value):
            raw("<value><dateTime.iso8601>")
            try text(value)
            raw("</dateTime.iso8601></value>\n")
        case .array(let elements):
            raw("<value><array><data>\n")
            for element in elements { try self.value(element) }
            raw("</data></array></value>\n")
        case .structure(let members):
            raw("<value><struct>\n")
            for (name, value) in members.sorted(by: { $0.key < $1.key }) { try member(name, value) }
            raw("</struct></value>\n")
        }
    }

    mutating func keywords(_ keywords: [XMLRPCCall.Keyword]) throws(KojiError) {
        raw("<value><struct>\n")
        for keyword in keywords { try member(keyword.name, keyword.value) }
        try member(XMLRPCCall.keywordMark, .bool(true))
        raw("</struct></value>\n")
    }

    private mutating func member(_ name: String, _ value: XMLRPCValue) throws(KojiError) {
        raw("<member>\n<name>")
        try text(name)
        raw("</name>\n")
        try self.value(value)
        raw("</member>\n")
    }

    private mutating func plain(_ start: StaticString, _ text: String, _ end: StaticString) {
        raw(start)
        bytes.append(contentsOf: text.utf8)
        raw(end)
    }
}
