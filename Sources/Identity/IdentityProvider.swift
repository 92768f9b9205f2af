/// An identity provider recognizes the senders of requests by one kind of credentials.
public protocol IdentityProvider: Sendable {
    /// The name in the audit, in metrics and in `about`. Example: `openid.sso`.
    var name: String { get }

    /// The value of `WWW-Authenticate` that asks for these credentials. Example: `Negotiate`. `nil` if a
    /// header cannot ask for them.
    var challenge: String? { get }

    /// Returns the sender of a request. Returns `nil` if `credentials` are of another kind.
    ///
    /// Credentials of the right kind that are wrong are a failure, even if the request has others that
    /// would do.
    func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity?
}

/// A credential failure is the reason why a sender is not recognized. Its sentence does not show what
/// exists on the server, and it has no part of the credentials.
public enum CredentialFailure: Error, Hashable, Sendable {
    /// The credentials are malformed: status 400.
    case malformed(String)
    /// The credentials are wrong, expired or foreign: status 401.
    case wrong(String)
    /// The credentials are right, but the sender may not use this service: status 403.
    case forbidden(String)
    /// The provider cannot be asked now: status 503, with the time in seconds after which to ask again. An
    /// outage of the provider is never the sender's fault. Clients throw their tickets away after a 401.
    case unavailable(String, retryAfter: Int)

    /// The whole sentence for the sender.
    public var message: String {
        switch self {
        case .malformed(let message), .wrong(let message), .forbidden(let message), .unavailable(let message, _): message
        }
    }
}
