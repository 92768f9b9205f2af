import HTTPEnvironment
import Identity
import Logging
import OpenID
import ServiceConfiguration
import ServiceLifecycle
import SystemPackage

/// The identity providers of OpenID Connect that a configuration names, and the services that keep
/// their keys fresh.
struct OpenIDProviders: Sendable {
    /// The providers of people: the mechanism `openid`.
    let people: [OpenIDProvider]
    /// The provider of programs: the mechanism `workloads`. `nil` if no workload is configured.
    let workloads: (any IdentityProvider)?
    /// The services that read the keys of the issuers.
    let services: [any Service]
    private let connections: [ProviderConnection]

    /// - Throws: ``ConfigurationError`` if a file with a secret cannot be read any more.
    init(_ configuration: ServerConfiguration.OpenID, clocks: ProviderClocks = .system, logger: Logger) throws {
        var issuers: [Issuer] = []
        var connections: [ProviderConnection] = []
        func issuer(_ url: ProviderURL, _ name: String, _ algorithms: [SigningAlgorithm], ca: String?) -> Issuer {
            let connection = ProviderConnection(ca: ca)
            let issuer = Issuer(url, name: name, algorithms: algorithms, connection: connection, clocks: clocks, logger: logger)
            connections.append(connection)
            issuers.append(issuer)
            return issuer
        }
        people = try configuration.providers.map { provider in
            OpenIDProvider(
                provider.settings, clientSecret: try provider.clientSecretFile.map { Secret(try ConfigurationReader.firstLine(of: $0)) },
                issuer: issuer(provider.issuer, "openid.\(provider.settings.name)", provider.algorithms, ca: provider.ca?.string))
        }
        let groups = Dictionary(grouping: configuration.workloads, by: \.issuer.text).values
        let rules = groups.map { workloads in
            (issuer(workloads[0].issuer, "workloads", [.rs256, .es256], ca: workloads[0].ca?.string), workloads.map(\.rule))
        }
        workloads = rules.isEmpty ? nil : WorkloadProvider(rules)
        services = issuers
        self.connections = connections
    }

    /// Closes the connections to the issuers, after the services have ended.
    func shutdown() async {
        for connection in connections { await connection.shutdown() }
    }
}
