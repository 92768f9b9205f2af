public import Identity

/// Directory groups add the groups of an LDAP directory to the people whom another provider recognizes.
/// Workloads are not people, so they get none.
public struct DirectoryGroups: IdentityProvider {
    private let provider: any IdentityProvider
    private let directory: GroupDirectory

    public init(of provider: any IdentityProvider, in directory: GroupDirectory) {
        self.provider = provider
        self.directory = directory
    }

    public var name: String { provider.name }
    public var challenge: String? { provider.challenge }

    public func identity(_ credentials: Credentials) async throws(CredentialFailure) -> Identity? {
        guard var identity = try await provider.identity(credentials) else { return nil }
        if identity.isKnown, identity.workload == nil { identity.groups.formUnion(try await directory.groups(of: identity.account)) }
        return identity
    }
}
