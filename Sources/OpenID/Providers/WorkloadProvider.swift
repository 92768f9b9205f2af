import ForeignText
public import Identity

/// A workload provider recognizes programs by the tokens of the services that run them.
public struct WorkloadProvider: IdentityProvider {
    private struct Source: Sendable {
        var issuer: Issuer
        var rules: [WorkloadRule]
    }

    private let sources: [ByteText: Source]

    public let name = "workloads"
    public var challenge: String? { "Bearer realm=\"odcs\"" }

    /// - Parameter rules: The rules of each issuer. If several fit a token, the first one by name counts.
    public init(_ rules: [(issuer: Issuer, rules: [WorkloadRule])]) {
        sources = Dictionary(
            rules.map { (ByteText($0.issuer.url.text), Source(issuer: $0.issuer, rules: $0.rules.sorted { $0.name < $1.name })) },
            uniquingKeysWith: { Source(issuer: $0.issuer, rules: ($0.rules + $1.rules).sorted { $0.name < $1.name }) })
    }

    public func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity? {
        guard case .bearer(let secret)? = credentials.authorization, SignedToken.hasForm(secret.text) else { return nil }
        let token = try SignedToken(secret.text)
        guard let source = sources[ByteText(token.issuer)] else { return nil }
        try await source.issuer.verify(token)
        let rules = TokenRules(issuer: source.issuer.url.text, audiences: source.rules.map(\.audience))
        try rules.check(token.claims, isAccessToken: token.isAccessToken, now: source.issuer.clocks.date())
        let audiences = token.claims["aud"]?.texts ?? []
        let rule = source.rules.first { rule in audiences.contains { $0.hasSameBytes(as: rule.audience) } && rule.fits(token.claims) }
        guard let rule else { throw .forbidden("The token is good, but no workload of this service has its claims.") }
        return Identity(account: rule.account, provider: name, workload: rule.name)
    }
}
