import Crypto
import CryptoExtras
import Foundation

@testable import OpenID

/// A key of a test's issuer.
struct TestKey: Sendable {
    /// The `kid`. `nil` for a key without one.
    var id: String?
    var algorithm: String
    /// The members of the public key's entry in a key set, as JSON, by their names.
    var members: [String: String]
    var sign: @Sendable ([UInt8]) throws -> [UInt8]

    /// The entry in a key set.
    var entry: String { json(members.merging(id.map { ["kid": quoted($0)] } ?? [:]) { $1 }) }

    static func es256(_ id: String?) -> TestKey {
        let key = P256.Signing.PrivateKey()
        let point = Array(key.publicKey.rawRepresentation)
        return TestKey(
            id: id, algorithm: "ES256",
            members: [
                "kty": "\"EC\"", "crv": "\"P-256\"", "x": quoted(Base64URL.encode(point[..<32])),
                "y": quoted(Base64URL.encode(point[32...])),
            ],
            sign: { Array(try key.signature(for: $0).rawRepresentation) })
    }

    static func rs256(_ id: String?, size: _RSA.Signing.KeySize = .bits2048) throws -> TestKey {
        let key = try _RSA.Signing.PrivateKey(keySize: size)
        return try rsa(id, key)
    }

    /// A key of 1024 bits, which is too short.
    static func shortRSA(_ id: String?) throws -> TestKey { try rsa(id, try _RSA.Signing.PrivateKey(unsafeKeySize: .init(bitCount: 1024))) }

    private static func rsa(_ id: String?, _ key: _RSA.Signing.PrivateKey) throws -> TestKey {
        let numbers = try key.publicKey.getKeyPrimitives()
        return TestKey(
            id: id, algorithm: "RS256",
            members: [
                "kty": "\"RSA\"", "n": quoted(Base64URL.encode(numbers.modulus)), "e": quoted(Base64URL.encode(numbers.publicExponent)),
            ],
            sign: { Array(try key.signature(for: SHA256.hash(data: $0), padding: .insecurePKCS1v1_5).rawRepresentation) })
    }
}

/// Returns a JSON object of members whose values are JSON texts.
func json(_ members: [String: String]) -> String {
    "{" + members.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\($0.value)" }.joined(separator: ",") + "}"
}

func quoted(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
        if scalar == "\"" || scalar == "\\" || scalar.value < 0x20 {
            json += "\\u" + String(repeating: "0", count: 4 - String(scalar.value, radix: 16).count) + String(scalar.value, radix: 16)
        } else {
            json.unicodeScalars.append(scalar)
        }
    }
    return json + "\""
}
