import ForeignText
public import Identity

/// An OpenID provider recognizes people and programs by the access tokens of one issuer.
///
/// A signed token is checked here. An opaque one is shown to its issuer, if the settings say so.
public struct OpenIDProvider: IdentityProvider {
    let settings: OpenIDSettings
    let issuer: Issuer
    /// The secret of this service at the issuer. `nil` for a public client.
    let clientSecret: Secret?
    private let rules: TokenRules
    private let introspection: IntrospectionEndpoint
    let userInfo: UserInfoEndpoint

    public var name: String { "openid.\(settings.name)" }
    public var challenge: String? { "Bearer realm=\"odcs\"" }

    /// - Parameter clientSecret: The secret of this service at the issuer, for introspection and logins.
    public init(_ settings: OpenIDSettings, clientSecret: Secret? = nil, issuer: Issuer) {
        self.settings = settings
        self.issuer = issuer
        self.clientSecret = clientSecret
        let name = "openid.\(settings.name)"
        rules = TokenRules(
            issuer: issuer.url.text, audiences: settings.audiences, authorizedParties: settings.authorizedParties,
            skew: Double(settings.skewSeconds))
        introspection = IntrospectionEndpoint(
            issuer: issuer, name: name, clientID: settings.clientID, clientSecret: clientSecret)
        userInfo = UserInfoEndpoint(issuer: issuer, name: name)
    }

    public func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity? {
        guard case .bearer(let secret)? = credentials.authorization, let claims = try await claims(of: secret) else { return nil }
        let account = try account(claims)
        let granted = try scopes(claims)
        return Identity(
            account: account, provider: name, groups: try await groups(claims, of: secret),
            scopes: settings.checksScopes ? known(granted) : nil)
    }

    /// Returns the claims of a token after all checks, or `nil` for the token of another issuer.
    private func claims(of secret: Secret) async throws(CredentialFailure) -> Claims? {
        if SignedToken.hasForm(secret.text) {
            let token = try SignedToken(secret.text)
            guard token.issuer.hasSameBytes(as: rules.issuer) else { return nil }
            try await issuer.verify(token)
            try rules.check(token.claims, isAccessToken: token.isAccessToken, now: issuer.clocks.date())
            if settings.introspection == .always { _ = try await introspection.claims(of: secret) }
            return token.claims
        }
        // An API token of this service has a form of its own, and no one else needs to see it.
        guard settings.introspection != .never, !secret.text.hasPrefix("odcs_"), secret.text.utf8.count <= SignedToken.mostBytes
        else { return nil }
        let claims = try await introspection.claims(of: secret)
        try rules.check(introspected: claims, now: issuer.clocks.date())
        return claims
    }

    func account(_ claims: Claims) throws(CredentialFailure) -> AccountName {
        guard let user = claims[settings.userClaim]?.text else {
            throw .wrong("The token has no text in the claim \(settings.userClaim), which names the user.")
        }
        // Anybody may enter any address at many providers.
        if settings.userClaim == "email", claims["email_verified"]?.bool != true {
            throw .wrong("The token's mail address was not verified by its issuer.")
        }
        do throws(AccountName.Problem) {
            // The name itself must be one, or a prefix would allow an empty name.
            _ = try AccountName(user)
            let account = try AccountName(settings.prefix + user)
            guard !settings.reserved.contains(account) else { throw .reserved }
            return account
        } catch {
            throw .wrong("The token's user name \(error.reason).")
        }
    }

    private func scopes(_ claims: Claims) throws(CredentialFailure) -> Set<String> {
        let value = claims["scope"] ?? claims["scp"]
        let texts = value?.texts ?? []
        let granted = Set(texts.flatMap { $0.split(separator: " ").map(String.init) })
        if let missing = settings.requiredScopes.first(where: { !granted.contains($0) }) {
            throw .forbidden("The token lacks the scope \(missing), which every request needs.")
        }
        return granted
    }

    private func known(_ granted: Set<String>) -> Set<Scope> {
        Set(Scope.allCases.filter { granted.contains(settings.scopePrefix + $0.rawValue) })
    }

    func groups(_ claims: Claims, of secret: Secret) async throws(CredentialFailure) -> Set<String> {
        switch settings.groupsFrom {
        case .none: return []
        case .claim: return try groups(in: claims)
        case .userinfo:
            let information: Claims
            do throws(ProviderFailure) {
                information = try await userInfo.claims(of: secret, subject: claims["sub"]?.text)
            } catch {
                guard settings.groupsRequired else { return [] }
                throw error.credentialFailure(of: name)
            }
            return try groups(in: information)
        }
    }

    func groups(in claims: Claims) throws(CredentialFailure) -> Set<String> {
        guard let value = claims[settings.groupsClaim] else { return [] }
        guard let groups = value.texts else { throw .wrong("The claim \(settings.groupsClaim) is not a list of groups.") }
        return Set(groups)
    }
}
