import Foundation

/// A decoder for JSON from an untrusted source, which checks the text before it decodes it.
///
/// Foundation keeps the members of an object in a dictionary of strings. Hashing a string of combining
/// marks takes quadratic time. So a key of a megabyte, which real data does not have, would take hours.
enum ForeignJSON {
    /// The maximum length of a key in bytes. Escapes count as they are written.
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

    /// Returns whether every string that stands before a colon has at most ``longestKey`` bytes.
    ///
    /// For bytes that are not JSON, the result has no meaning.
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

    /// A replacement in the error for a key that is too long to be shown.
    private struct LongKey: CodingKey {
        var stringValue: String { "a key" }
        var intValue: Int? { nil }

        init() {}
        init?(stringValue: String) { nil }
        init?(intValue: Int) { nil }
    }
}
