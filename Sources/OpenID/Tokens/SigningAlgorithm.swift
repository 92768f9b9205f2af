/// A signing algorithm is an algorithm of JSON Web Signatures whose keys have a public half (RFC
/// 7518, section 3.1, and RFC 8037).
///
/// `none` and the algorithms with a shared secret are missing on purpose. With them, everybody who
/// knows a public key could sign.
public enum SigningAlgorithm: String, Hashable, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case eddsa = "EdDSA"

    /// The type of the keys of this algorithm, and their curve if they have one, as a key set names them.
    var keyType: (type: String, curve: String?) {
        switch self {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: ("RSA", nil)
        case .es256: ("EC", "P-256")
        case .es384: ("EC", "P-384")
        case .es512: ("EC", "P-521")
        case .eddsa: ("OKP", "Ed25519")
        }
    }
}
