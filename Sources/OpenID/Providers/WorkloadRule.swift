public import Identity

/// A workload rule recognizes a program by the claims of its token, for example a job of a CI
/// service: `auth.workloads.NAME` in the configuration. Neither side keeps a secret for it.
public struct WorkloadRule: Hashable, Sendable {
    /// The name of the rule, which rules of access name. Example: `lockfiles`.
    public var name: String
    public var audience: String
    /// The conditions by the names of their claims. All must be met.
    public var claims: [String: ClaimPattern]
    /// The owner of everything that the program makes. Example: `ci/lockfiles`.
    public var account: AccountName

    public init(name: String, audience: String, claims: [String: ClaimPattern], account: AccountName) {
        self.name = name
        self.audience = audience
        self.claims = claims
        self.account = account
    }

    /// The issuers that serve everybody, with the claims that name a tenant for good. Other claims, such
    /// as `repository`, are names. After a renaming, another person can register the old name.
    private static let sharedIssuers = [
        "https://token.actions.githubusercontent.com": ["repository_id", "repository_owner_id"],
        "https://gitlab.com": ["project_id", "namespace_id"],
    ]

    /// Returns the claims of which the rule must pin one to a number, or `nil` if the rule is safe. Only
    /// an issuer that serves everybody needs it.
    public func missingPin(at issuer: ProviderURL) -> [String]? {
        let address = issuer.text.lowercased()
        guard let pins = Self.sharedIssuers[address.hasSuffix("/") ? String(address.dropLast()) : address] else { return nil }
        return pins.contains { claims[$0]?.isNumeric ?? false } ? nil : pins
    }

    func fits(_ token: Claims) -> Bool { claims.allSatisfy { $0.value.fits(token[$0.key]) } }
}
