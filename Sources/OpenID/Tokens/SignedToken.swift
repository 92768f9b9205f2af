import Identity

/// A signed token is a JSON Web Token (RFC 7519) in its compact form, before its signature is
/// checked.
///
/// Nothing of it may be trusted, except for the choice of the key that it is checked with.
struct SignedToken: Sendable {
    /// The maximum length of a token in bytes. Headers of requests are bounded in the same order.
    static let mostBytes = 16 << 10

    let algorithm: SigningAlgorithm
    let keyID: String?
    /// Whether the header says that the token is an access token of RFC 9068.
    let isAccessToken: Bool
    let issuer: String
    let claims: Claims
    /// The text that the signature is made of.
    let signedBytes: [UInt8]
    let signature: [UInt8]

    /// Whether a text is a JSON Web Token by its form: three or five parts, of which the first one is a
    /// JSON object. Other tokens are opaque: only their issuer knows what they mean.
    static func hasForm(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 || parts.count == 5, text.utf8.count <= mostBytes else { return false }
        // `{"` in base64.
        return parts[0].starts(with: "ey".utf8)
    }

    /// Reads the parts of a token.
    ///
    /// - Throws: ``CredentialFailure/wrong(_:)``, also for a token that only an unsafe reader accepts.
    init(_ text: String) throws(CredentialFailure) {
        guard text.utf8.count <= Self.mostBytes else { throw .wrong("The token is longer than \(Self.mostBytes) bytes.") }
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw .wrong("The token has \(parts.count) parts. A signed token has 3. Encrypted tokens are not accepted.")
        }
        guard let header = Base64URL.decode(parts[0]).flatMap({ Claims($0) }) else {
            throw .wrong("The token's header is not JSON in base64url.")
        }
        guard let payload = Base64URL.decode(parts[1]).flatMap({ Claims($0) }) else {
            throw .wrong("The token's claims are not JSON in base64url.")
        }
        guard let signature = Base64URL.decode(parts[2]) else { throw .wrong("The token's signature is not base64url.") }
        guard let algorithm = header["alg"]?.text.flatMap(SigningAlgorithm.init) else {
            throw .wrong("The token is not signed by an algorithm that this server accepts.")
        }
        // A critical extension changes the meaning of the token. A reader that does not know it has to refuse
        // the token (RFC 7515, section 4.1.11).
        guard header["crit"] == nil, header["b64"] == nil, header["zip"] == nil else {
            throw .wrong("The token's header has an extension that this server does not know.")
        }
        switch header["typ"].map({ $0.text?.lowercased() ?? "" }) {
        case nil, "jwt", "application/jwt": isAccessToken = false
        case "at+jwt", "application/at+jwt": isAccessToken = true
        default: throw .wrong("The token is of another type than an access token.")
        }
        switch header["kid"] {
        case nil: keyID = nil
        case .text(let id)?: keyID = id
        default: throw .wrong("The name of the token's key is not a text.")
        }
        guard let issuer = payload["iss"]?.text else { throw .wrong("The token does not name its issuer.") }
        self.issuer = issuer
        self.algorithm = algorithm
        self.signature = signature
        claims = payload
        signedBytes = Array(parts[0]) + [UInt8(ascii: ".")] + Array(parts[1])
    }
}
