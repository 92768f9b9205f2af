import ForeignText

/// Issuer metadata is the document in which an issuer names its endpoints (OpenID Connect Discovery
/// 1.0).
struct IssuerMetadata: Hashable, Sendable {
    var keys: ProviderURL
    var introspection: ProviderURL?
    /// Whether the secret of this service goes into the form of an introspection, because the issuer does
    /// not accept it in the header.
    var postsSecret: Bool
    var userInfo: ProviderURL?
    /// The page at which people log in.
    var authorization: ProviderURL?
    /// The endpoint that exchanges codes for tokens.
    var tokens: ProviderURL?
    /// Whether the secret of this service goes into the form that is sent to ``tokens``.
    var postsSecretForTokens: Bool

    static func address(of issuer: ProviderURL) -> ProviderURL? {
        ProviderURL((issuer.text.hasSuffix("/") ? String(issuer.text.dropLast()) : issuer.text) + "/.well-known/openid-configuration")
    }

    /// - Throws: ``ProviderFailure`` if the document is that of another issuer, or lacks the address of
    ///   the keys.
    init(_ document: Claims, of issuer: ProviderURL) throws(ProviderFailure) {
        guard let name = document["issuer"]?.text, name.hasSameBytes(as: issuer.text) else {
            throw ProviderFailure("the metadata of \(issuer) is that of another issuer")
        }
        func url(_ name: String) throws(ProviderFailure) -> ProviderURL? {
            guard let text = document[name]?.text else { return nil }
            guard let url = ProviderURL(text), url.isSecure || !issuer.isSecure else {
                throw ProviderFailure("\(name) in the metadata of \(issuer) is not an https URL")
            }
            return url
        }
        guard let keys = try url("jwks_uri") else { throw ProviderFailure("the metadata of \(issuer) has no jwks_uri") }
        self.keys = keys
        introspection = try url("introspection_endpoint")
        userInfo = try url("userinfo_endpoint")
        authorization = try url("authorization_endpoint")
        tokens = try url("token_endpoint")
        func posts(_ name: String) -> Bool {
            document[name]?.texts.map { !$0.contains("client_secret_basic") && $0.contains("client_secret_post") } ?? false
        }
        postsSecret = posts("introspection_endpoint_auth_methods_supported")
        postsSecretForTokens = posts("token_endpoint_auth_methods_supported")
    }
}
