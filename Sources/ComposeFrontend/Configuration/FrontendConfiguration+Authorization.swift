import Hummingbird

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
