import Crypto
import Foundation

/// A webhook secret is a key with which messages are signed, as Standard Webhooks 1.0 says.
///
/// Its text is `whsec_` and 24 to 64 bytes in base64. Example:
/// `whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw`.
public struct WebhookSecret: Hashable, Sendable {
    private let key: Data

    /// - Returns: `nil` if the text is not a secret.
    public init?(_ text: String) {
        let prefix = "whsec_"
        guard text.hasPrefix(prefix), let bytes = Data(base64Encoded: String(text.dropFirst(prefix.count))),
            (24...64).contains(bytes.count)
        else { return nil }
        key = bytes
    }

    /// Returns the signature of a message. Example: `v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=`.
    ///
    /// - Parameters:
    ///   - id: The value of the header `webhook-id`.
    ///   - timestamp: The value of the header `webhook-timestamp`: seconds since 1970.
    func signature(id: String, timestamp: Int, body: Data) -> String {
        var signed = Data("\(id).\(timestamp).".utf8)
        signed.append(body)
        let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key))
        return "v1," + Data(code).base64EncodedString()
    }
}
