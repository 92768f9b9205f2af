import ComposeModel
import ComposeStore
import Foundation
import Hummingbird
import ImageModel
import Logging
import NIOCore
import NIOPosix
import Postgres
import Synchronization

/// The handlers of the service's own pages: routes, `about` and `metrics`.
struct ServiceController: Sendable {
    let configuration: FrontendConfiguration
    let store: ComposeStore
    let feed: EventFeed
    let metrics: HTTPMetrics
    let moreMetrics: @Sendable () async -> [MetricFamily]
    private var pages: WebPages { WebPages(configuration: configuration) }
    private let descriptions = KnownDescriptions()
    private let abouts = KnownAbouts()

    var resources: [Resource] {
        [
            Resource("/api/1", [.get: .open(describe)]),
            Resource("/api/1/about", [.get: .open(about)]),
            Resource("/api/1/metrics", [.get: .unguarded(showMetrics)]),
        ]
    }

    private func describe(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let (server, isForPeople) = (PublicURLs(configuration, request).base, request.prefersHTML)
        // A client that names a new host each time has a description made each time.
        return try await NIOThreadPool.singleton.runIfActive { [configuration, descriptions, pages] () -> Response in
            guard !isForPeople else {
                let page = RoutesPage(command: "curl \(server)/api/1/", rows: try descriptions.operations(configuration, server: server))
                return pages.response("routes", title: "Routes", page: page, request, context)
            }
            let description = try descriptions.description(configuration, server: server)
            return Response(
                status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: ByteBuffer(string: description.json)))
        }
    }

    private func about(_ request: Request, _ context: FrontendContext) throws -> Response {
        .json(try abouts.body(configuration, isSenderKnown: context.isSenderKnown))
    }

    private func showMetrics(_ request: Request, _ context: FrontendContext) async throws -> Response {
        let hidden = configuration.access.hiddenTargets(from: nil)
        let process = ProcessMetrics(
            version: configuration.version, targets: configuration.targets.filter { !hidden.contains($0.key) }.mapValues(\.path))
        let own = try await NIOThreadPool.singleton.runIfActive { process.families }
        let families =
            await StoreMetrics(
                store: store, buildsImages: configuration.images != nil,
                tokenWarning: configuration.tokens?.warning ?? APIToken.warning
            ).families(logger: context.logger) + metrics.families
            + [
                MetricFamily(
                    "odcs_event_streams", help: "Streams and requests that wait for events.", kind: .gauge, value: Double(feed.openPlaces))
            ]
            + (configuration.access.chain?.families ?? []) + moreMetrics() + own
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: families.map(\.text).joined())))
    }
}

/// The page that lists the routes for people.
private struct RoutesPage {
    let command: String
    let rows: [OpenAPIDescription.Operation]
}

/// The bodies of `GET /api/1/about/` that this process has made: for senders that are known, and for
/// others. They depend only on the configuration.
private final class KnownAbouts: Sendable {
    private let bodies = Mutex<[Bool: ByteBuffer]>([:])

    func body(_ configuration: FrontendConfiguration, isSenderKnown: Bool) throws -> ByteBuffer {
        if let known = bodies.withLock({ $0[isSenderKnown] }) { return known }
        let body = ByteBuffer(bytes: try JSONEncoder.answer(AboutDocument(configuration, isSenderKnown: isSenderKnown)))
        bodies.withLock { $0[isSenderKnown] = body }
        return body
    }
}

/// The body of `GET /api/1/about/`: the version of the service, its source types and its limits.
private struct AboutDocument: Encodable {
    let version: String
    let authBackend: String
    let allowedClients: [String: [String: [String: [String]]]]
    let rawConfigURLs: [String: [String: String]]
    let sigkeys: [String]
    let sourceTypes: [String]
    let targetDirs: [String]
    let arches: [String]
    let secondsToLive: Int
    /// The abilities that a client may look for: `events` is the event streams, `wait` the parameter of a
    /// compose, and `build-wait` that of a build. A service without `dry-run` makes the compose of a dry
    /// run.
    let features = ["build-wait", "dry-run", "events", "wait"]
    let maxSecondsToLive: Int
    /// The setup for building images. The member is absent if this server builds none.
    let images: Images?

    struct Images: Encodable {
        let registry: String
        let allowedRegistries: [String]
        /// The networks that a definition can give to instructions. With `host`, they can reach everything that
        /// the worker's host can.
        let networks: [String]
        let maxContextBytes: Int

        enum CodingKeys: String, CodingKey {
            case registry, networks
            case allowedRegistries = "allowed_registries"
            case maxContextBytes = "max_context_bytes"
        }

        init(_ service: ImageService) {
            registry = service.namespace.description
            allowedRegistries = Set(service.allowedRegistries.map(\.description) + [service.namespace.host.description]).sorted()
            networks = service.allowsHostNetwork ? ["none", "host"] : ["none"]
            maxContextBytes = service.contextBytes
        }
    }

    enum CodingKeys: String, CodingKey {
        case version, sigkeys, arches, images, features
        case authBackend = "auth_backend"
        case allowedClients = "allowed_clients"
        case rawConfigURLs = "raw_config_urls"
        case sourceTypes = "source_types"
        case targetDirs = "target_dirs"
        case secondsToLive = "seconds_to_live"
        case maxSecondsToLive = "max_seconds_to_live"
    }

    /// - Parameter isSenderKnown: The rules name people, so they are shown to known senders only.
    init(_ configuration: FrontendConfiguration, isSenderKnown: Bool) {
        let limits = configuration.limits
        version = configuration.version
        authBackend = configuration.access.backend
        allowedClients = isSenderKnown ? configuration.access.rules.allowedClients : AccessRules().allowedClients
        rawConfigURLs = configuration.rawConfigURLs
        sigkeys = limits.defaultSigkeys
        sourceTypes = configuration.admission.capabilities.sourceTypes.map(\.name)
        targetDirs = configuration.targets.keys.sorted()
        arches = limits.defaultArches
        secondsToLive = limits.defaultSecondsToLive
        maxSecondsToLive = limits.maximumSecondsToLive
        images = configuration.images.map(Images.init)
    }
}
