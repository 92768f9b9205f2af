public import Hummingbird

/// An authenticator identifies the sender of a request. Reading is open to everyone. Only requests that
/// change something are authenticated.
public protocol Authenticator: Sendable {
    /// The name that `about` shows as `auth_backend`. Example: `noauth`.
    var name: String { get }

    /// Returns the sender of `request`.
    ///
    /// - Throws: ``RequestRejection`` with status 401 if the request's credentials are missing or wrong.
    func authenticate(_ request: Request) async throws -> Principal
}
