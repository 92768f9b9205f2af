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

/// A principal is the sender of a request, with its rights.
public struct Principal: Hashable, Sendable {
    public enum Role: String, Hashable, Sendable {
        case allowedClients = "allowed_clients"
        case admins
    }

    /// A scope is an action that a token was issued for.
    public enum Scope: String, Hashable, Sendable {
        case newCompose = "new-compose"
        case renewCompose = "renew-compose"
        case deleteCompose = "delete-compose"
    }

    public var name: String
    public var roles: Set<Role>
    /// The scopes of the token. `nil` if the authentication method has no scopes.
    public var scopes: Set<Scope>?
    /// Whether `name` identifies one client. It is `false` for the shared name of all senders that did not
    /// identify themselves.
    public var isKnown: Bool

    public init(name: String, roles: Set<Role>, scopes: Set<Scope>? = nil, isKnown: Bool = true) {
        self.name = name
        self.roles = roles
        self.scopes = scopes
        self.isKnown = isKnown
    }

    public var isAdmin: Bool { roles.contains(.admins) }

    /// Throws ``RequestRejection`` with status 403 if the token was issued without `scope`.
    func require(_ scope: Scope) throws(RequestRejection) {
        guard let scopes, !scopes.contains(scope) else { return }
        throw RequestRejection(.forbidden, "The credentials of \(name) lack the scope \(scope.rawValue).")
    }

    /// Throws ``RequestRejection`` with status 403 if the sender does not have `role`. An admin has every
    /// role.
    func require(_ role: Role) throws(RequestRejection) {
        guard !roles.contains(role), !isAdmin else { return }
        throw RequestRejection(.forbidden, "\(name) is not in the role \(role.rawValue).")
    }
}

extension FrontendConfiguration {
    /// Returns the sender of a request for a compose. Throws if the sender is not an allowed client, or if
    /// its token lacks `scope`.
    func authorize(_ request: Request, _ scope: Principal.Scope) async throws -> Principal {
        let principal = try await principal(of: request, scope)
        try principal.require(.allowedClients)
        return principal
    }

    /// Returns the sender of `request`. Throws if its credentials are wrong, or if its token lacks `scope`.
    func principal(of request: Request, _ scope: Principal.Scope) async throws -> Principal {
        let principal = try await authenticator.authenticate(request)
        try principal.require(scope)
        return principal
    }
}

/// An authenticator that asks for no credentials. Every sender is called `unknown` and may do
/// everything.
public struct NoAuthentication: Authenticator {
    public init() {}

    public let name = "noauth"

    public func authenticate(_ request: Request) async throws -> Principal {
        Principal(name: "unknown", roles: [.allowedClients, .admins], isKnown: false)
    }
}
