import ForeignText
import Foundation

/// A reader of the JSON of strangers, with bounds, and a writer of JSON whose bytes are always the same
/// for the same value.
public enum BoundedJSON {
    /// The most bytes of a document, which is also distribution's limit for manifests.
    public static let mostBytes = 4 << 20
    /// Real documents have a nesting of five.
    private static let bounds = JSONBounds(keyBytes: 256, depth: 32)

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - title: The document's name at the beginning of a sentence, for example "The manifest".
    ///   - most: The most bytes of the document.
    /// - Throws: ``ImageProblem`` with a sentence that names the place of the mistake.
    public static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], _ title: String, most: Int = mostBytes
    ) throws(ImageProblem) -> Value {
        guard bytes.count <= most else {
            throw ImageProblem(.limitExceeded, "\(title) is larger than \(most) bytes.")
        }
        switch bounds.excess(of: bytes) {
        case .depth: throw ImageProblem(.limitExceeded, "\(title) is nested more than \(bounds.depth) times.")
        case .keyBytes: throw ImageProblem(.limitExceeded, "\(title) has a key that is longer than \(bounds.keyBytes) bytes.")
        case nil: break
        }
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw ImageProblem(.badDocument, "\(title) cannot be used: \(error.finding).")
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
                    forKey: key, in: self, debugDescription: "it has more than \(most) elements")
            }
            elements.append(try list.decode(Element.self))
        }
        return elements
    }
}
