import Foundation

/// JSON that a stranger wrote, which is looked at before it is decoded.
///
/// Foundation keeps the members of an object in a dictionary of texts, and hashing a text takes quadratic time on combining marks. So a key of a
/// megabyte, which nobody has, would take hours.
enum ForeignJSON {
    /// How many bytes a key may have; escapes count as they are written.
    static let longestKey = 1024

    static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: some Collection<UInt8>, by decoder: JSONDecoder = JSONDecoder()
    ) throws -> Value {
        guard areKeysShort(bytes) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(codingPath: [LongKey()], debugDescription: "it is longer than \(longestKey) bytes"))
        }
        return try decoder.decode(type, from: Data(bytes))
    }

    /// Whether no text that stands before a colon has more than ``longestKey`` bytes. What is no JSON may have any answer.
    static func areKeysShort(_ bytes: some Collection<UInt8>) -> Bool {
        bytes.withContiguousStorageIfAvailable(areKeysShort(in:)) ?? Array(bytes).withUnsafeBufferPointer(areKeysShort(in:))
    }

    private static func areKeysShort(in bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var begin: Int?
        var isLong = false
        var position = 0
        while position < bytes.count {
            switch (bytes[position], begin) {
            case (UInt8(ascii: "\\"), .some): position += 1
            case (UInt8(ascii: "\""), let start?):
                isLong = position - start - 1 > longestKey
                begin = nil
            case (UInt8(ascii: "\""), nil): begin = position
            case (UInt8(ascii: ":"), nil) where isLong: return false
            default: break
            }
            position += 1
        }
        return true
    }

    /// Stands in the place of a key that is too long to be shown.
    private struct LongKey: CodingKey {
        var stringValue: String { "a key" }
        var intValue: Int? { nil }

        init() {}
        init?(stringValue: String) { nil }
        init?(intValue: Int) { nil }
    }
}
