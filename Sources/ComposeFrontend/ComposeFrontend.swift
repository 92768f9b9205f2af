public import ComposeStore
public import Hummingbird
import HummingbirdCore
public import Logging
public import NIOCore

/// The HTTP side of the service: takes requests for composes, answers about them, and serves their files.
public struct ComposeFrontend: Sendable {
    private let configuration: FrontendConfiguration
    private let store: ComposeStore
    private let moreMetrics: @Sendable () async -> [MetricFamily]
    private let logger: Logger

    /// - Parameter moreMetrics: what other parts of the same process have to say at `/api/1/metrics/`.
    public init(
        configuration: FrontendConfiguration, store: ComposeStore, moreMetrics: @escaping @Sendable () async -> [MetricFamily] = { [] },
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.moreMetrics = moreMetrics
        self.logger = logger
    }

    /// A service that listens at `address` until the graceful shutdown, and then answers what it has begun to. A request that is still
    /// arriving then is waited for as well, 30 seconds from its last byte on, unless the service group's own limit ends it earlier.
    ///
    /// A connection is closed that is silent for 30 seconds, or whose request takes longer to arrive than configured.
    ///
    /// - Parameter onServerRunning: told the address that it listens at, which differs from `address` where that has port 0.
    public func application(
        address: BindAddress, onServerRunning: @escaping @Sendable (SocketAddress?) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        let most = configuration.maximumConnections
        return Application(
            router: router(),
            server: .loopBoundHTTP1(
                configuration: .init(idleTimeout: .seconds(30)),
                limits: .init(request: .seconds(Int64(configuration.requestSeconds)), body: configuration.bodyLimit),
                table: ConnectionTable(most: most)),
            // A connection that has to go needs a moment for it. If all are at work, others wait until they are accepted.
            configuration: ApplicationConfiguration(
                address: address, availableConnectionsDelegate: MaximumAvailableConnections(most + 16, logger: logger)),
            onServerRunning: { await onServerRunning($0.localAddress) }, logger: logger)
    }

    func router() -> Router<FrontendContext> {
        let router = Router(context: FrontendContext.self, options: .autoGenerateHeadEndpoints)
        let metrics = HTTPMetrics()
        router.add(middleware: RequestLogMiddleware(metrics: metrics))
        router.add(middleware: ErrorMiddleware(bodyLimit: configuration.bodyLimit))
        router.add(middleware: CrossSiteMiddleware(serverURL: configuration.serverURL))
        for resource in resources(metrics: metrics) {
            resource.add(to: router)
        }
        return router
    }

    /// Everything that has an address.
    func resources(metrics: HTTPMetrics) -> [Resource] {
        let validator = RequestValidator(configuration)
        let composes = ComposeController(configuration: configuration, store: store, validator: validator)
        let watches = WatchController(configuration: configuration, store: store, validator: validator)
        let service = ServiceController(configuration: configuration, store: store, metrics: metrics, moreMetrics: moreMetrics)
        let linkPrefix = PublicURLs.path(of: configuration.serverURL)
        let files = configuration.targets.values.compactMap { StaticComposes($0, linkPrefix: linkPrefix) }.flatMap(\.resources)
        return composes.resources + watches.resources + LegacyController(composes: composes).resources + service.resources + files
    }
}
