import Crypto
import Foundation
public import Identity

/// A *token text* is the whole API token, as its owner has it. The database has only its id and a hash
/// of its secret.
///
/// Example: `odcs_4k7m2p9xz1_` with 43 characters of the secret and 6 of a checksum. The prefix lets
/// scanners find tokens in files that became public. The checksum shows without the database whether a
/// token was cut off.
public struct TokenText: Sendable {
    /// Ten digits of Crockford's base 32: 50 bits.
    public let id: String
    /// 256 bits as base64url.
    private let secret: String
    /// The SHA-256 of the secret in hexadecimal. A slow hash would protect nothing, because the secret has
    /// 256 random bits.
    let hash: String

    static let prefix = "odcs_"
    private static let idDigits = Array("0123456789abcdefghjkmnpqrstvwxyz")
    private static let checkDigits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let hashDigits = Array("0123456789abcdef".utf8)
    private static let (idLength, secretLength, checkLength) = (10, 43, 6)

    /// Creates a new token by random numbers of the system.
    static func random() -> TokenText {
        var generator = SystemRandomNumberGenerator()
        let id = String((0..<idLength).map { _ in idDigits.randomElement(using: &generator)! })
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        let secret = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
        return TokenText(id: id, secret: secret)
    }

    private init(id: String, secret: String) {
        self.id = id
        self.secret = secret
        hash = Self.hash(of: secret)
    }

    /// Creates a new token with a known id, whose secret replaces that of an older one.
    static func random(id: String) -> TokenText { TokenText(id: id, secret: random().secret) }

    /// Returns whether a text is meant as an API token of this service, even if it is not a correct one.
    static func isMeant(_ text: String) -> Bool { text.utf8.starts(with: prefix.utf8) }

    /// Reads the text of a token. Returns `nil` if the text is not complete.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        let start = Self.prefix.utf8.count
        let middle = start + Self.idLength
        guard bytes.count == middle + 1 + Self.secretLength + Self.checkLength, Self.isMeant(text), bytes[middle] == UInt8(ascii: "_"),
            bytes.suffix(Self.checkLength).elementsEqual(Self.check(of: bytes.dropLast(Self.checkLength)))
        else { return nil }
        self.init(
            id: String(decoding: bytes[start..<middle], as: UTF8.self),
            secret: String(decoding: bytes[(middle + 1)..<(middle + 1 + Self.secretLength)], as: UTF8.self))
    }

    /// The whole text, to be shown once to the owner of the token.
    public var text: Secret {
        let start = "\(Self.prefix)\(id)_\(secret)"
        return Secret(start + String(decoding: Self.check(of: start.utf8), as: UTF8.self))
    }

    /// Returns whether the secret has the given hash. The time that it takes does not depend on the
    /// position of the first difference.
    func hasHash(_ other: String) -> Bool {
        guard hash.utf8.count == other.utf8.count else { return false }
        return zip(hash.utf8, other.utf8).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    // Each request with a token computes the hash and the checksum. String(format:) would be too slow.

    private static func hash(of secret: String) -> String {
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * SHA256.byteCount)
        for byte in SHA256.hash(data: Data(secret.utf8)) {
            digits.append(hashDigits[Int(byte >> 4)])
            digits.append(hashDigits[Int(byte & 15)])
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// Returns the digits of the checksum of everything before them.
    private static func check(of start: some Sequence<UInt8>) -> [UInt8] {
        var rest = crc32(start)
        var digits = [UInt8](repeating: 0, count: checkLength)
        for place in digits.indices.reversed() {
            digits[place] = checkDigits[Int(rest % 62)]
            rest /= 62
        }
        return digits
    }

    private static let crcTable = (UInt32(0)..<256).map { byte in
        (0..<8).reduce(byte) { value, _ in value & 1 == 1 ? (value >> 1) ^ 0xEDB8_8320 : value >> 1 }
    }

    private static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(UInt32.max) { value, byte in (value >> 8) ^ crcTable[Int(UInt8(truncatingIfNeeded: value) ^ byte)] }
    }
}
