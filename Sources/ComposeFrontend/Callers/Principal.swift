import Hummingbird

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
        case buildImage = "build-image"
        case rebuild
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
