public import ComposeStore
public import Hummingbird
import HummingbirdCore
public import Logging
public import NIOCore
import NIOHTTP1
public import ServerTLS

/// The HTTP side of the service. It accepts requests for composes, reports their state, and serves
/// their files.
public struct ComposeFrontend: Sendable {
    private let configuration: FrontendConfiguration
    private let store: ComposeStore
    private let feed: EventFeed
    private let questions: QuestionDesk
    private let changes: ComposeChanges?
    private let readiness: Readiness
    private let moreMetrics: @Sendable () async -> [MetricFamily]
    private let logger: Logger

    /// - Parameters:
    ///   - feed: The events, which the caller runs as a service. Without it, no request is woken by an
    ///     event.
    ///   - questions: The way to workers, which the caller runs as a service. Without it, answers are only
    ///     seen at the next look.
    ///   - changes: The changes after which answers have to be made again. `nil` to make each answer anew.
    ///   - readiness: The checks of `/readyz`. `nil` for those of the database alone.
    ///   - moreMetrics: Returns the metrics of other parts of the same process, for `/api/1/metrics/`.
    public init(
        configuration: FrontendConfiguration, store: ComposeStore, feed: EventFeed? = nil, questions: QuestionDesk? = nil,
        changes: ComposeChanges? = nil, readiness: Readiness? = nil,
        moreMetrics: @escaping @Sendable () async -> [MetricFamily] = { [] }, logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.feed = feed ?? EventFeed(store: store, logger: logger) { AsyncStream { $0.finish() } }
        self.questions = questions ?? QuestionDesk(store: store, logger: logger) { AsyncStream { $0.finish() } }
        self.changes = changes
        self.readiness = readiness ?? Readiness(store: store)
        self.moreMetrics = moreMetrics
        self.logger = logger
    }

    /// Returns a service that listens at `address` until the graceful shutdown and then finishes the
    /// requests that it has begun. It also waits for a request that is still arriving, until 30 seconds
    /// after its last byte. The service group's own limit can end that wait earlier.
    ///
    /// A connection is closed if it is silent for 30 seconds, or if its request takes longer to arrive than
    /// configured.
    ///
    /// - Parameters:
    ///   - tls: The TLS of the connections. `nil` for connections without encryption.
    ///   - drain: The service that stops new connections before this one is shut down.
    ///   - onServerRunning: Called with the address that the service listens at. It differs from `address`
    ///     if `address` has port 0.
    public func application(
        address: BindAddress, tls: ServerTLS? = nil, drain: ListenerDrain? = nil,
        onServerRunning: @escaping @Sendable (SocketAddress?) async -> Void = { _ in }
    ) -> some ApplicationProtocol {
        let most = configuration.maximumConnections
        let table = ConnectionTable(most: most)
        let upload = configuration.images.map { images in
            ConnectionHandler.Limits.Upload(
                routes: [(.POST, ContextController.path), (.PUT, ComponentController.path)],
                request: .seconds(Int64(images.contextSeconds)), body: images.contextBytes)
        }
        return Application(
            router: router(),
            server: .loopBoundHTTP1(
                configuration: .init(idleTimeout: .seconds(30)),
                limits: .init(request: .seconds(Int64(configuration.requestSeconds)), body: configuration.bodyLimit, upload: upload),
                table: table, tls: tls),
            // Closing a surplus connection takes a moment, so 16 more are accepted. If all of them are being
            // answered, further connections wait to be accepted.
            configuration: ApplicationConfiguration(
                address: address, availableConnectionsDelegate: MaximumAvailableConnections(most + 16, logger: logger)),
            onServerRunning: { channel in
                drain?.listens(on: channel, table)
                await onServerRunning(channel.localAddress)
            }, logger: logger)
    }

    func router() -> Router<FrontendContext> {
        let router = Router(context: FrontendContext.self, options: .autoGenerateHeadEndpoints)
        let metrics = HTTPMetrics()
        router.add(middleware: TracingMiddleware())
        router.add(middleware: RequestLogMiddleware(metrics: metrics))
        router.add(middleware: AuditMiddleware(log: AuditLog(store: store)))
        router.add(
            middleware: ErrorMiddleware(
                bodyLimit: configuration.bodyLimit, crossSite: CrossSiteRule(serverURL: configuration.serverURL), metrics: metrics,
                pages: WebPages(configuration: configuration)))
        let access = access
        for resource in resources(metrics: metrics) + pages {
            resource.add(to: router, access: access)
        }
        return router
    }

    /// The access control, with the facts about the frontend that it needs.
    private var access: AccessControl {
        var access = configuration.access
        access.trustedProxies = configuration.callers.trustedProxies
        access.browser = BrowserAccess(
            store: store, cookies: BrowserCookies(serverURL: configuration.serverURL), canLogIn: configuration.hasWebLogin,
            root: PublicURLs.path(of: configuration.serverURL))
        return access
    }

    /// The resources that are pages for people, with their forms.
    var pages: [Resource] {
        let pages = WebPages(configuration: configuration)
        let positions = QueuePositions(store: store)
        let lists = PackageLists(configuration)
        let composes = composeController(positions, KeptAnswers(changes: nil), lists)
        let packages = PackageController(composes: composes, lists: lists)
        let watches = WatchController(configuration: configuration, store: store, validator: configuration.validator)
        let events = EventController(configuration: configuration, store: store, feed: feed, composes: composes)
        return HomePages(pages: pages, store: store, positions: positions).resources
            + ComposeListPages(pages: pages, store: store).resources
            + ComposePages(pages: pages, store: store, composes: composes).resources
            + ComposeFilePages(pages: pages, composes: composes, events: events).resources
            + AskAgainPages(pages: pages, composes: composes).resources
            + AccountPages(pages: pages, store: store).resources
            + DifferencePages(pages: pages, packages: packages).resources + WhyPages(pages: pages, packages: packages).resources
            + WatchPages(pages: pages, store: store, watches: watches).resources
            + TokenPages(pages: pages, store: store, tokens: TokenController(configuration: configuration, store: store)).resources
            + AdminPages(pages: pages, store: store, subscribers: SubscriberController(configuration: configuration, store: store))
            .resources
            + LoginPages(pages: pages, store: store, access: access).resources + ImagePages(pages: pages, store: store).resources
    }

    private func composeController(
        _ positions: QueuePositions, _ answers: KeptAnswers, _ lists: PackageLists
    ) -> ComposeController {
        ComposeController(
            configuration: configuration, store: store, validator: configuration.validator, positions: positions,
            answers: answers, feed: feed, questions: questions, lists: lists)
    }

    /// Returns every resource of the API, and the files of composes.
    func resources(metrics: HTTPMetrics) -> [Resource] {
        let validator = configuration.validator
        let lists = PackageLists(configuration)
        let composes = composeController(QueuePositions(store: store), KeptAnswers(changes: changes), lists)
        let watches = WatchController(configuration: configuration, store: store, validator: validator)
        let service = ServiceController(
            configuration: configuration, store: store, feed: feed, metrics: metrics, moreMetrics: moreMetrics)
        let events = EventController(configuration: configuration, store: store, feed: feed, composes: composes)
        let files = configuration.targets.compactMap { name, target in
            StaticComposes(name, target, pages: WebPages(configuration: configuration))
        }.flatMap(\.resources)
        let packages = PackageController(composes: composes, lists: lists)
        return composes.resources + packages.resources + watches.resources + images + LegacyController(composes: composes).resources
            + service.resources + IdentityController(access: configuration.access).resources
            + TokenController(configuration: configuration, store: store).resources + AuditController(store: store).resources
            + events.resources + SubscriberController(configuration: configuration, store: store).resources
            + HealthController(readiness: readiness).resources + files
    }

    /// The resources of images and their builds. They exist even if this server builds none, and say so.
    private var images: [Resource] {
        ImageController(configuration: configuration, store: store).resources
            + ContentsController(configuration: configuration, store: store).resources
            + BuildController(configuration: configuration, store: store, feed: feed).resources
            + RebuildController(configuration: configuration, store: store, validator: configuration.validator).resources
            + RuleController(configuration: configuration, store: store).resources
            + ContextController(configuration: configuration, store: store).resources
            + NodeController(configuration: configuration, store: store).resources
            + FarmController(configuration: configuration, store: store).resources
            + ArtifactController(configuration: configuration, store: store).resources
            + ComponentController(configuration: configuration, store: store).resources
    }
}
