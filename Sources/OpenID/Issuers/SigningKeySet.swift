import JWTKit

/// A signing key set holds the public keys of an issuer (RFC 7517), each for one algorithm.
///
/// Each pair of a key and an algorithm has a key collection of its own. A collection of JWTKit keeps
/// the first algorithm that a token names for a key without one. One forged token would then make all
/// good tokens fail.
struct SigningKeySet: Sendable {
    /// The maximum number of entries that are read.
    private static let mostEntries = 200

    private struct Verifier: Sendable {
        var id: String?
        var algorithm: SigningAlgorithm
        let signer: any JWTAlgorithm
    }

    private let keys: [Verifier]

    var isEmpty: Bool { keys.isEmpty }

    /// Reads the entries one by one. An entry that cannot sign tokens, or that cannot be read, is passed
    /// over: a set also has keys for encryption, and keys that this program does not know yet.
    ///
    /// - Parameter algorithms: The algorithms that the operator accepts.
    init(_ document: Claims, algorithms: [SigningAlgorithm]) async throws(ProviderFailure) {
        guard let entries = document["keys"]?.list else { throw ProviderFailure("the key set has no list of keys") }
        guard entries.count <= Self.mostEntries else { throw ProviderFailure("the key set has more than \(Self.mostEntries) keys") }
        var keys: [Verifier] = []
        for entry in entries.compactMap({ Claims($0) }) where Self.isForSignatures(entry) {
            for algorithm in algorithms {
                guard let verifier = await Self.verifier(entry, algorithm) else { continue }
                keys.append(Verifier(id: entry["kid"]?.text, algorithm: algorithm, signer: verifier))
            }
        }
        self.keys = keys
    }

    /// Whether the set has a key for a token. A token that names no key needs a set with only one.
    func hasKey(_ id: String?, _ algorithm: SigningAlgorithm) -> Bool { !candidates(id, algorithm).isEmpty }

    /// Whether a key of the set has signed the bytes.
    func verifies(_ token: SignedToken) -> Bool {
        candidates(token.keyID, token.algorithm).contains { key in
            // An error says that the signature has the wrong form.
            (try? key.signer.verify(token.signature, signs: token.signedBytes)) ?? false
        }
    }

    private func candidates(_ id: String?, _ algorithm: SigningAlgorithm) -> [Verifier] {
        let keys = keys.filter { $0.algorithm == algorithm }
        if let id { return keys.filter { $0.id.map { $0.utf8.elementsEqual(id.utf8) } ?? false } }
        return keys.count == 1 ? keys : []
    }

    private static func isForSignatures(_ entry: Claims) -> Bool {
        if let use = entry["use"], use.text != "sig" { return false }
        if let operations = entry["key_ops"], operations.texts?.contains("verify") != true { return false }
        return true
    }

    private static func verifier(_ entry: Claims, _ algorithm: SigningAlgorithm) async -> (any JWTAlgorithm)? {
        let (type, curve) = algorithm.keyType
        guard entry["kty"]?.text == type, entry["crv"]?.text == curve else { return nil }
        if let fixed = entry["alg"], fixed.text != algorithm.rawValue { return nil }
        let id = JWKIdentifier(string: "key")
        let name = JWK.Algorithm(rawValue: algorithm.rawValue)
        let key: JWK =
            switch type {
            case "RSA": .rsa(name, identifier: id, modulus: entry["n"]?.text, exponent: entry["e"]?.text)
            case "EC":
                .ecdsa(
                    name, identifier: id, x: entry["x"]?.text, y: entry["y"]?.text, curve: curve.flatMap { ECDSACurve(rawValue: $0) })
            default: .octetKeyPair(name, identifier: id, x: entry["x"]?.text, y: nil, curve: .ed25519)
            }
        let collection = JWTKeyCollection()
        // Each error says that the key has the wrong form, for example that it is too short. Such a key must
        // not make the other keys of the set useless.
        guard (try? await collection.add(jwk: key)) != nil else { return nil }
        return try? await collection.getKey(for: id, alg: algorithm.rawValue)
    }
}
