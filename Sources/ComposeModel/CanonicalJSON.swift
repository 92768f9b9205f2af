import Crypto
import Foundation

/// JSON with sorted keys: equal values give equal bytes, and so equal digests.
enum CanonicalJSON {
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    /// The SHA-256, in hexadecimal.
    static func digest(of value: some Encodable) throws -> String { digest(try encode(value)) }

    static func digest(_ json: some DataProtocol) -> String {
        SHA256.hash(data: json).map { String(format: "%02x", $0) }.joined()
    }
}
