import ComposeFrontend
import ComposeStore
import Identity
import Logging
import OpenID
import ServerTLS
import ServiceLifecycle

/// The identity providers of a configuration, with the services and threads that they need.
struct IdentityProviders: Sendable {
    /// The TLS of the frontend. `nil` if it serves plain HTTP.
    let tls: ServerTLS?
    private let configuration: ServerConfiguration
    private let logins: LoginServices
    private let openID: OpenIDProviders

    /// - Throws: ``ConfigurationError``, `TLSFileProblem` or ``LoginServices/UnusableFile`` for settings or
    ///   files that cannot be used.
    init(_ configuration: ServerConfiguration, logger: Logger) throws {
        try configuration.checkMechanisms()
        self.configuration = configuration
        tls = try configuration.tls.map { try ServerTLS($0.files, logger: logger) }
        // A provider that no mechanism uses is not started.
        var used = configuration
        let asked = configuration.auth.mechanisms
        if !asked.contains(.openid) { used.openID.providers = [] }
        if !asked.contains(.workloads) { used.openID.workloads = [] }
        if !asked.contains(.kerberos) { used.kerberos = nil }
        openID = try OpenIDProviders(used.openID, logger: logger)
        // This comes last, because it starts threads, and only ``shutdown()`` ends them.
        logins = try LoginServices(used, logger: logger)
    }

    /// The services that keep certificates and keys fresh.
    var services: [any Service] { (tls.map { [$0] } ?? []) + openID.services }

    func accessControl(store: ComposeStore) throws -> AccessControl {
        let proxy = try configuration.auth.proxy?.trustedProxy()
        let mechanisms = configuration.auth.mechanisms
        let providers = mechanisms.flatMap { mechanism in
            self.providers(of: mechanism, proxy: proxy, store: store)
        }
        return AccessControl(
            chain: mechanisms.isEmpty ? nil : IdentityChain(providers), rules: configuration.access, proxy: proxy,
            privateTargets: configuration.composes.targets.compactMapValues(\.readers))
    }

    /// The provider at which people log in to the pages, if there is one.
    var login: (any LoginProvider)? {
        guard let name = configuration.frontend.login, let provider = openID.people.first(where: { $0.name == "openid.\(name)" }) else {
            return nil
        }
        guard let groups = logins.groupLookup(mechanism: ServerConfiguration.Auth.Mechanism.openid.rawValue) else { return provider }
        return LoginWithGroups(provider: provider, groups: groups)
    }

    private func providers(
        of mechanism: ServerConfiguration.Auth.Mechanism, proxy: TrustedProxy?, store: ComposeStore
    ) -> [any IdentityProvider] {
        func withGroups(_ providers: [any IdentityProvider]) -> [any IdentityProvider] {
            providers.map { logins.withGroups($0, mechanism: mechanism.rawValue) }
        }
        switch mechanism {
        case .tokens:
            // The groups of the directory replace those that the owner had when the token was made.
            return [
                TokenProvider(
                    store: store, warning: configuration.tokenWarning, groups: logins.groupLookup(mechanism: mechanism.rawValue))
            ]
        case .openid: return withGroups(openID.people)
        case .workloads: return openID.workloads.map { [$0] } ?? []
        case .kerberos: return withGroups(logins.kerberos.map { [$0] } ?? [])
        case .certificates:
            guard let tls, let user = configuration.tls?.user else { return [] }
            return withGroups([CertificateProvider(user: user, isRevoked: { tls.isRevoked(serial: $0) })])
        case .proxy: return withGroups(proxy.map { [ProxyProvider($0)] } ?? [])
        }
    }

    /// Ends threads and connections. No provider may be asked afterwards.
    func shutdown() async throws {
        await openID.shutdown()
        try await logins.shutdown()
    }
}

/// A login at a provider, with the groups that a directory has for the person.
private struct LoginWithGroups: LoginProvider {
    let provider: OpenIDProvider
    let groups: TokenProvider.GroupLookup

    var name: String { provider.name }

    func address(of login: BrowserLogin) async throws(CredentialFailure) -> String { try await provider.address(of: login) }

    func person(with code: Secret, of login: BrowserLogin) async throws(CredentialFailure) -> Identity {
        var person = try await provider.person(with: code, of: login)
        person.groups.formUnion(try await groups(person.account))
        return person
    }
}
