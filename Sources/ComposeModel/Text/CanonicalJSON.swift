import Crypto
import Foundation

/// JSON with sorted keys: equal values give equal bytes, and so equal digests.
enum CanonicalJSON {
    /// Returns the JSON of a value in UTF-8. Slashes are not escaped.
    ///
    /// Throws `EncodingError`.
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    /// Returns the SHA-256 of the value's JSON, as 64 lowercase hexadecimal digits.
    static func digest(of value: some Encodable) throws -> String { digest(try encode(value)) }

    static func digest(_ json: some DataProtocol) -> String {
        SHA256.hash(data: json).map { String(format: "%02x", $0) }.joined()
    }
}
