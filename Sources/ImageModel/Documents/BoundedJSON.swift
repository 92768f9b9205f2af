import ForeignText
import Foundation

/// A reader of the JSON of strangers, with bounds, and a writer of JSON whose bytes are always the same
/// for the same value.
public enum BoundedJSON {
    /// The most bytes of a document, which is also distribution's limit for manifests.
    public static let mostBytes = 4 << 20
    /// The deepest nesting of arrays and objects. Real documents need five.
    private static let mostDepth = 32
    /// The most bytes of a key. Foundation hashes keys in a time that can grow with the square of their
    /// length.
    private static let mostKeyBytes = 256

    /// Reads a document.
    ///
    /// - Parameter title: The document's name at the beginning of a sentence, for example "The manifest".
    /// - Throws: ``ImageProblem`` with a sentence that names the place of the mistake.
    public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8], _ title: String) throws(ImageProblem)
        -> Value
    {
        guard bytes.count <= mostBytes else {
            throw ImageProblem(.limitExceeded, "\(title) is larger than \(mostBytes) bytes.")
        }
        try check(bytes, title)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw ImageProblem(.badDocument, "\(title) cannot be used: \(finding(error)).")
        } catch {
            throw ImageProblem(.badDocument, "\(title) is not JSON.")
        }
    }

    static func encode(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // No value of this target has a number or key that JSON cannot have.
        return (try? encoder.encode(value)).map { Array($0) } ?? []
    }

    /// Throws if the nesting is too deep or a key too long. For bytes that are not JSON, the result has no
    /// meaning.
    private static func check(_ bytes: [UInt8], _ title: String) throws(ImageProblem) {
        var (depth, position, stringLength) = (0, 0, 0)
        var isInString = false
        while position < bytes.count {
            let byte = bytes[position]
            switch (byte, isInString) {
            case (UInt8(ascii: "\\"), true):
                position += 1
                stringLength += 2
            case (UInt8(ascii: "\""), _):
                isInString.toggle()
                if isInString { stringLength = 0 }
            case (_, true): stringLength += 1
            case (UInt8(ascii: ":"), false) where stringLength > mostKeyBytes:
                throw ImageProblem(.limitExceeded, "\(title) has a key that is longer than \(mostKeyBytes) bytes.")
            case (UInt8(ascii: "{"), false), (UInt8(ascii: "["), false):
                depth += 1
                guard depth <= mostDepth else {
                    throw ImageProblem(.limitExceeded, "\(title) is nested more than \(mostDepth) times.")
                }
            case (UInt8(ascii: "}"), false), (UInt8(ascii: "]"), false): depth -= 1
            default: break
            }
            position += 1
        }
    }

    private static func finding(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context): "\(place(context.codingPath + [key])) is missing"
        case .valueNotFound(_, let context): "\(place(context.codingPath)) is null"
        case .typeMismatch(_, let context): "\(place(context.codingPath)) has the wrong type"
        case .dataCorrupted(let context) where context.codingPath.isEmpty: "it is not JSON, or not complete"
        case .dataCorrupted(let context):
            "\(place(context.codingPath)) is wrong. \(context.debugDescription.printable(most: 300).trimmingSuffix("."))"
        @unknown default: "it has an unknown mistake"
        }
    }

    /// Returns the path of a value in the document, for example `layers[2].digest`.
    private static func place(_ path: [any CodingKey]) -> String {
        let text = path.reduce("") { text, key in
            key.intValue.map { "\(text)[\($0)]" } ?? (text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)")
        }
        return text.isEmpty ? "the whole" : text.printable(most: 200)
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String { hasSuffix(suffix) ? String(dropLast(suffix.count)) : self }
}

extension KeyedDecodingContainer {
    /// Decodes an array with at most `most` elements. An absent array and `null` are empty.
    func decodeBounded<Element: Decodable>(_ type: Element.Type, forKey key: Key, most: Int) throws -> [Element] {
        guard contains(key), try !decodeNil(forKey: key) else { return [] }
        var list = try nestedUnkeyedContainer(forKey: key)
        var elements: [Element] = []
        while !list.isAtEnd {
            guard elements.count < most else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: self, debugDescription: "It has more than \(most) elements")
            }
            elements.append(try list.decode(Element.self))
        }
        return elements
    }
}
