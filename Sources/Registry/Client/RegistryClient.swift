import AsyncHTTPClient
public import HTTPEnvironment
import ImageModel
public import Logging
import NIOCore

/// A client of container registries. OCI Distribution Specification.
///
/// It reads manifests and blobs, from mirrors first, and writes them to the registry itself. Every
/// digest that it returns is computed from the bytes that arrived, except in
/// ``reportedDigest(of:)``.
///
/// Example:
///
///     let image = try ImageReference("registry.example.org/team/web:latest")
///     let document = try await client.manifest(image)
public final class RegistryClient: Sendable {
    let connection: RegistryConnection
    let memory = DocumentMemory()

    var configuration: RegistryConfiguration { connection.configuration }
    var limits: RegistryLimits { connection.limits }

    /// - Parameter clock: The clock of the pauses between attempts.
    public init(
        _ configuration: RegistryConfiguration, environment: HTTPEnvironment = .process, clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger
    ) {
        var settings = HTTPClient.Configuration()
        settings.timeout.connect = TimeAmount(configuration.limits.connectTime)
        settings.timeout.read = TimeAmount(configuration.limits.silence)
        settings.timeout.write = TimeAmount(configuration.limits.silence)
        // The client would wait for the whole time of a connection even if the registry refuses it at once.
        settings.connectionPool.retryConnectionEstablishment = false
        connection = RegistryConnection(
            client: OutboundClient(settings, environment: environment), configuration: configuration, tokens: TokenCache(), clock: clock,
            logger: logger)
    }

    /// Closes all connections. Nothing can be sent afterwards.
    public func shutdown() async {
        // An error would say that the client was shut down before.
        try? await connection.client.shutdown()
    }

    /// Asks the mirrors of a repository's registry and then the registry itself, until one answers. All are
    /// asked again if the failure of the last one may pass.
    func reading<Value>(
        _ repository: ImageRepository, _ purpose: String,
        _ body: (RegistryEndpoint) async throws(RegistryFailure) -> Value
    ) async throws(RegistryFailure) -> Value {
        let registry = configuration.endpoint(repository.host)
        return try await connection.persistently(purpose) { () async throws(RegistryFailure) in
            for mirror in configuration.mirrorEndpoints(of: repository.host) {
                do throws(RegistryFailure) {
                    return try await body(mirror)
                } catch {
                    guard error.code != .canceled else { throw error }
                    connection.logger.info(
                        "A mirror is passed over",
                        metadata: ["mirror": "\(mirror.host)", "purpose": "\(purpose)", "reason": "\(error.message)"])
                }
            }
            return try await body(registry)
        }
    }
}
