/// An identity is the sender of a request, as a provider knows it.
public struct Identity: Hashable, Sendable {
    /// The owner of everything that the sender makes.
    public var account: AccountName
    /// The provider that vouches for the sender, for example `openid.sso`. It is shown in the audit.
    public var provider: String
    public var groups: Set<String>
    /// The scopes of the credentials. `nil` if this kind of credentials has none.
    public var scopes: Set<Scope>?
    /// The id of the API token. `nil` for all other credentials.
    public var token: String?
    /// The name of the rule that an API token is limited to. `nil` if it is not limited.
    public var rule: String?
    /// Patterns of the repositories of images that an API token is limited to. Example: `team/*`. `nil` if
    /// it is not limited.
    public var repositories: [String]?
    /// The name of the configured workload that the sender is. `nil` for people.
    public var workload: String?
    /// Headers of the answer: the second half of `Negotiate`, or the end of a token's life.
    public var replyHeaders: [String: String]

    public init(
        account: AccountName, provider: String, groups: Set<String> = [], scopes: Set<Scope>? = nil, token: String? = nil,
        rule: String? = nil, repositories: [String]? = nil, workload: String? = nil, replyHeaders: [String: String] = [:]
    ) {
        self.account = account
        self.provider = provider
        self.groups = groups
        self.scopes = scopes
        self.token = token
        self.rule = rule
        self.repositories = repositories
        self.workload = workload
        self.replyHeaders = replyHeaders
    }

    /// Whether the account is one person or program. It is not if the service asks for no credentials.
    public var isKnown: Bool { account != .unknown }
}
