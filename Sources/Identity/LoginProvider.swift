/// A login provider recognizes people who log in with a browser, which comes back from the provider
/// with a code.
public protocol LoginProvider: Sendable {
    /// The name in the audit. Example: `openid.sso`.
    var name: String { get }

    /// Returns the address at the provider that the browser is sent to.
    func address(of login: BrowserLogin) async throws(CredentialFailure) -> String

    /// Returns the person who came back with a code.
    ///
    /// - Throws: ``CredentialFailure`` if the provider does not accept the code, or says something else
    ///   than expected about the person.
    func person(with code: Secret, of login: BrowserLogin) async throws(CredentialFailure) -> Identity
}

/// A browser login is the login of one person that has begun. Only the browser and this service know
/// its secrets.
public struct BrowserLogin: Sendable {
    /// The address of this service to which the provider sends the browser back.
    public var returnAddress: String
    /// A text that comes back with the browser, and shows that it is the one that began.
    public var state: String
    /// A text that the provider puts into the token (OpenID Connect Core 1.0, section 3.1.2.1).
    public var nonce: String
    /// A secret without which a stolen code is worth nothing (RFC 7636).
    public var verifier: Secret

    public init(returnAddress: String, state: String, nonce: String, verifier: Secret) {
        self.returnAddress = returnAddress
        self.state = state
        self.nonce = nonce
        self.verifier = verifier
    }
}
