import Crypto
import Foundation

/// A *provenance key* signs statements: ECDSA with the curve P-256 and SHA-256, as cosign does by
/// default.
///
/// `openssl ecparam -name prime256v1 -genkey -noout` makes one.
public struct ProvenanceKey: Sendable {
    private let key: P256.Signing.PrivateKey

    /// - Parameter pem: A private key as PEM, without a passphrase.
    public init(pem: String) throws(ImageProblem) {
        do {
            key = try P256.Signing.PrivateKey(pemRepresentation: pem)
        } catch {
            // The error of the library could quote the file.
            throw ImageProblem(.unsupported, "It is not a private key of the curve P-256 in PEM without a passphrase.")
        }
    }

    /// - Parameter file: The path of a file with such a key.
    public init(file: String) throws(ImageProblem) {
        guard let content = FileManager.default.contents(atPath: file), content.count <= 1 << 16 else {
            throw ImageProblem(.unsupported, "The file cannot be read.")
        }
        try self.init(pem: String(decoding: content, as: UTF8.self))
    }

    public var publicKey: ProvenancePublicKey { ProvenancePublicKey(key.publicKey) }

    /// Signs the bytes of a statement. Each call makes other bytes.
    public func sign(_ statement: [UInt8]) throws -> SignedEnvelope {
        let signature = try key.signature(for: Data(SignedEnvelope.signedBytes(statement)))
        return SignedEnvelope(
            statement, signatures: [.init(keyid: publicKey.id, sig: signature.derRepresentation.base64EncodedString())])
    }
}

/// The public half of a ``ProvenanceKey``.
public struct ProvenancePublicKey: Sendable {
    private let key: P256.Signing.PublicKey

    /// - Parameter pem: A public key as PEM.
    public init(pem: String) throws(ImageProblem) {
        do {
            key = try P256.Signing.PublicKey(pemRepresentation: pem)
        } catch {
            throw ImageProblem(.unsupported, "It is not a public key of the curve P-256 in PEM.")
        }
    }

    fileprivate init(_ key: P256.Signing.PublicKey) { self.key = key }

    /// The SHA-256 of the key's DER form, as `sha256:` and digits.
    public var id: String { ImageDigest(of: Array(key.derRepresentation)).description }

    public var pem: String { key.pemRepresentation }

    /// Whether one of the envelope's signatures is by this key.
    public func hasSigned(_ envelope: SignedEnvelope) -> Bool {
        // The reader of a statement reports the faults of it. Here a broken one only is not signed.
        guard let statement = try? envelope.statement else { return false }
        let signed = Data(SignedEnvelope.signedBytes(statement))
        return envelope.signatures.prefix(Self.mostSignatures).contains { signature in
            guard let der = Data(base64Encoded: signature.sig),
                let signature = try? P256.Signing.ECDSASignature(derRepresentation: der)
            else { return false }
            return key.isValidSignature(signature, for: signed)
        }
    }

    private static let mostSignatures = 100
}
