public import Hummingbird

/// Finds out who sends a request. Reading is open to anyone; only requests that change something are asked.
public protocol Authenticator: Sendable {
    /// What `about` calls it.
    var name: String { get }

    /// - Throws: ``RequestRejection`` with status 401 where the request's credentials are missing or wrong.
    func authenticate(_ request: Request) async throws -> Principal
}

/// Who sends a request, and with which rights.
public struct Principal: Hashable, Sendable {
    public enum Role: String, Hashable, Sendable {
        case allowedClients = "allowed_clients"
        case admins
    }

    /// What a token was issued for.
    public enum Scope: String, Hashable, Sendable {
        case newCompose = "new-compose"
        case renewCompose = "renew-compose"
        case deleteCompose = "delete-compose"
    }

    public var name: String
    public var roles: Set<Role>
    /// `nil` where the way of authentication knows no scopes.
    public var scopes: Set<Scope>?
    /// Whether the name is that of one client, and not what everybody is called who did not say.
    public var isKnown: Bool

    public init(name: String, roles: Set<Role>, scopes: Set<Scope>? = nil, isKnown: Bool = true) {
        self.name = name
        self.roles = roles
        self.scopes = scopes
        self.isKnown = isKnown
    }

    public var isAdmin: Bool { roles.contains(.admins) }

    func require(_ scope: Scope) throws(RequestRejection) {
        guard let scopes, !scopes.contains(scope) else { return }
        throw RequestRejection(.forbidden, "The credentials of \(name) lack the scope \(scope.rawValue).")
    }

    /// An admin may do what any client may.
    func require(_ role: Role) throws(RequestRejection) {
        guard !roles.contains(role), !isAdmin else { return }
        throw RequestRejection(.forbidden, "\(name) is not in the role \(role.rawValue).")
    }
}

extension FrontendConfiguration {
    /// Who may ask for composes.
    func authorize(_ request: Request, _ scope: Principal.Scope) async throws -> Principal {
        let principal = try await principal(of: request, scope)
        try principal.require(.allowedClients)
        return principal
    }

    /// Whoever sends the request, with credentials that were issued for it.
    func principal(of request: Request, _ scope: Principal.Scope) async throws -> Principal {
        let principal = try await authenticator.authenticate(request)
        try principal.require(scope)
        return principal
    }
}

/// Nobody is asked for credentials: everyone is called `unknown` and may do everything.
public struct NoAuthentication: Authenticator {
    public init() {}

    public let name = "noauth"

    public func authenticate(_ request: Request) async throws -> Principal {
        Principal(name: "unknown", roles: [.allowedClients, .admins], isKnown: false)
    }
}
