public import Identity

/// The settings of one OpenID provider: `auth.openid.NAME` in the configuration.
public struct OpenIDSettings: Hashable, Sendable {
    /// The source of a person's groups.
    public enum GroupSource: String, Hashable, Sendable, CaseIterable {
        case claim, userinfo, none
    }

    /// The tokens that the issuer is asked about (RFC 7662).
    public enum Introspection: String, Hashable, Sendable, CaseIterable {
        /// No tokens. Opaque tokens are foreign then.
        case never
        /// The tokens that are not signed, which only the issuer can check.
        case opaque
        /// All tokens, so that a token that the issuer took back is refused within a minute.
        case always
    }

    public var name: String
    public var audiences: [String]
    public var authorizedParties: [String]
    /// The claim with the name of the account. Users must not be able to choose its value.
    public var userClaim: String
    public var groupsClaim: String
    public var groupsFrom: GroupSource
    /// Whether a token without groups is refused if UserInfo does not answer. If not, the account has no
    /// groups, as in the published ODCS.
    public var groupsRequired: Bool
    public var scopePrefix: String
    public var requiredScopes: [String]
    /// Whether each kind of action needs its scope in the token.
    public var checksScopes: Bool
    public var introspection: Introspection
    /// The name of this service at the issuer, for introspection.
    public var clientID: String
    /// The scopes that a login with a browser asks for.
    public var loginScopes: [String]
    public var skewSeconds: Int
    /// The text before each account name. Example: `partner/`.
    public var prefix: String
    /// Accounts that no person may have, because they are those of workloads.
    public var reserved: Set<AccountName>

    public init(
        name: String, audiences: [String] = [], authorizedParties: [String] = [], userClaim: String, groupsClaim: String = "groups",
        groupsFrom: GroupSource = .claim, groupsRequired: Bool = true, scopePrefix: String = "", requiredScopes: [String] = [],
        checksScopes: Bool = true, introspection: Introspection = .never, clientID: String = "",
        loginScopes: [String] = ["openid", "profile"],
        skewSeconds: Int = 60, prefix: String = "", reserved: Set<AccountName> = []
    ) {
        self.name = name
        self.audiences = audiences
        self.authorizedParties = authorizedParties
        self.userClaim = userClaim
        self.groupsClaim = groupsClaim
        self.groupsFrom = groupsFrom
        self.groupsRequired = groupsRequired
        self.scopePrefix = scopePrefix
        self.requiredScopes = requiredScopes
        self.checksScopes = checksScopes
        self.introspection = introspection
        self.clientID = clientID
        self.loginScopes = loginScopes
        self.skewSeconds = skewSeconds
        self.prefix = prefix
        self.reserved = reserved
    }
}
