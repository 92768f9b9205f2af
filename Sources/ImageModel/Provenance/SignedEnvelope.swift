import Foundation

/// A *signed envelope* has a statement with signatures of its bytes. DSSE, "Envelope" v1.0.0.
public struct SignedEnvelope: Hashable, Sendable, Codable {
    public struct Signature: Hashable, Sendable, Codable {
        /// The id of the key, as a hint. Anyone can write it.
        public var keyid: String?
        /// The signature in Base64.
        public var sig: String
    }

    /// The type of a payload that is a statement.
    public static let payloadType = "application/vnd.in-toto+json"

    public var payload: String
    public var payloadType: String
    public var signatures: [Signature]

    init(_ payload: [UInt8], signatures: [Signature]) {
        self.payload = Data(payload).base64EncodedString()
        payloadType = Self.payloadType
        self.signatures = signatures
    }

    /// Reads an envelope that anyone may have written.
    public init(_ bytes: [UInt8]) throws(ImageProblem) {
        self = try BoundedJSON.decode(Self.self, from: bytes, "The envelope")
        guard payloadType == Self.payloadType else {
            throw ImageProblem(.unsupported, "The envelope has something else than a statement.")
        }
    }

    public var bytes: [UInt8] { BoundedJSON.encode(self) }

    /// The bytes of the statement.
    public var statement: [UInt8] {
        get throws(ImageProblem) {
            guard let data = Data(base64Encoded: payload) else {
                throw ImageProblem(.badDocument, "The payload of the envelope is not Base64.")
            }
            return Array(data)
        }
    }

    /// The bytes that are signed: the payload with its type and both lengths. DSSE, "Pre-Authentication
    /// Encoding".
    static func signedBytes(_ payload: [UInt8]) -> [UInt8] {
        Array("DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) ".utf8) + payload
    }
}
