import Identity

/// A provider failure is the reason why an identity provider's answer cannot be used. It is for the
/// log of the operator. It has no part of the answer, and no token.
struct ProviderFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// A whole sentence without its final period.
    let description: String
    /// Whether the provider answered that it does not accept the token.
    var isRefusal = false

    init(_ description: String, isRefusal: Bool = false) {
        self.description = description
        self.isRefusal = isRefusal
    }

    /// The time in seconds after which a client may ask again.
    static let retrySeconds = 10

    /// The failure for the sender of a token. An outage of the provider is not the sender's fault.
    ///
    /// - Parameter provider: The name of the identity provider. Example: `openid.sso`.
    func credentialFailure(of provider: String) -> CredentialFailure {
        if isRefusal { return .wrong("The identity provider \(provider) does not accept the token.") }
        return .unavailable("The identity provider \(provider) does not answer as it should.", retryAfter: Self.retrySeconds)
    }
}
