import ForeignText
import Foundation

/// A decoder for JSON from an untrusted source, which checks the text before it decodes it.
enum ForeignJSON {
    static let bounds = JSONBounds(keyBytes: 1024)

    static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: some Collection<UInt8>, by decoder: JSONDecoder = JSONDecoder()
    ) throws -> Value {
        guard bounds.excess(of: bytes) == nil else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: [LongKey()], debugDescription: "it is longer than \(bounds.keyBytes) bytes"))
        }
        return try decoder.decode(type, from: Data(bytes))
    }

    /// A replacement in the error for a key that is too long to be shown.
    private struct LongKey: CodingKey {
        var stringValue: String { "a key" }
        var intValue: Int? { nil }

        init() {}
        init?(stringValue: String) { nil }
        init?(intValue: Int) { nil }
    }
}
