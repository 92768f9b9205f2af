/// An array is sent as a parameter in PostgreSQL's text form. Example: `{"a","b c",NULL}`.
extension Array: PostgresEncodable where Element: PostgresArrayElement {
    public static var postgresType: PostgresType { Element.postgresArrayType }

    public func postgresText() throws -> String? {
        try ArrayLiteral(elements: map { try $0.postgresText() }).description
    }
}

/// An array is read from a one-dimensional column. Use `[T?]` if elements may be NULL.
extension Array: PostgresDecodable where Element: PostgresDecodable {
    public init?(postgresText: String?) throws {
        guard let literal = postgresText.flatMap(ArrayLiteral.init) else { return nil }
        self = []
        for text in literal.elements {
            guard let element = try Element(postgresText: text) else { return nil }
            append(element)
        }
    }
}

/// The elements of a one-dimensional array, with nil for NULL, and their text form. PostgreSQL's manual
/// describes the form in "Array Input and Output Syntax".
///
/// Example: `["a", nil]` is written as `{"a",NULL}`.
struct ArrayLiteral: Equatable {
    var elements: [String?]
}

extension ArrayLiteral: LosslessStringConvertible {
    /// The text form. Every element is quoted, so that PostgreSQL reads none as NULL, as empty or as a
    /// nested array.
    var description: String {
        var text: [UInt8] = [UInt8(ascii: "{")]
        for element in elements {
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            guard var element else {
                text.append(contentsOf: "NULL".utf8)
                continue
            }
            text.append(UInt8(ascii: "\""))
            element.withUTF8 { Self.escape($0, into: &text) }
            text.append(UInt8(ascii: "\""))
        }
        text.append(UInt8(ascii: "}"))
        return String(decoding: text, as: UTF8.self)
    }

    private static func escape(_ element: UnsafeBufferPointer<UInt8>, into text: inout [UInt8]) {
        var rest = element[...]
        while let place = rest.firstIndex(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }) {
            text.append(contentsOf: UnsafeBufferPointer(rebasing: rest[..<place]))
            text.append(UInt8(ascii: "\\"))
            text.append(rest[place])
            rest = rest[(place + 1)...]
        }
        text.append(contentsOf: UnsafeBufferPointer(rebasing: rest))
    }

    /// Reads the text form. Returns nil for a text that is not a one-dimensional array.
    init?(_ description: String) {
        var bytes = Array(description.utf8)[...]
        guard bytes.popFirst() == UInt8(ascii: "{"), bytes.popLast() == UInt8(ascii: "}") else { return nil }
        elements = []
        if bytes.isEmpty { return }
        while true {
            guard let element = Self.element(from: &bytes) else { return nil }
            elements.append(element)
            guard let separator = bytes.popFirst() else { return }
            guard separator == UInt8(ascii: ",") else { return nil }
        }
    }

    /// Takes the next element off the front. The outer nil means that there is no valid element, the inner
    /// nil means NULL.
    private static func element(from bytes: inout ArraySlice<UInt8>) -> String?? {
        guard bytes.first == UInt8(ascii: "\"") else {
            let word = bytes.prefix { $0 != UInt8(ascii: ",") }
            guard !word.isEmpty, !word.contains(UInt8(ascii: "{")) else { return nil }
            bytes = bytes[word.endIndex...]
            let text = String(decoding: word, as: UTF8.self)
            return text == "NULL" ? .some(nil) : .some(text)
        }
        bytes.removeFirst()
        var text: [UInt8] = []
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = bytes.popFirst() else { return nil }
                text.append(escaped)
            default:
                text.append(byte)
            }
        }
        return nil
    }
}
