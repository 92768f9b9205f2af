import AsyncHTTPClient
import ContentSources
import HTTPEnvironment

/// The HTTP clients of a worker. One is for sources, with the proxy and certificates of the
/// configuration. The other one is for other systems: Pulp, the Module Build Service, and webhooks.
/// Both use the proxies and certificates of the environment if the configuration sets none.
struct WorkerClients: Sendable {
    let sources: OutboundClient
    let services: OutboundClient

    /// - Throws: ``UnreadableCertificate`` or `OutboundProblem` if a setting cannot be used.
    init(_ settings: ServerConfiguration.Sources, limits: SourceLimits) throws {
        var configuration = limits.httpClientConfiguration
        configuration.tlsConfiguration = try settings.tlsConfiguration()
        let environment = try HTTPEnvironment.process.withProxy(settings.proxy, of: "sources.proxy")
        services = OutboundClient(limits.httpClientConfiguration)
        sources = OutboundClient(configuration, environment: environment)
    }

    func shutdown() async throws {
        try await sources.shutdown()
        try await services.shutdown()
    }
}
