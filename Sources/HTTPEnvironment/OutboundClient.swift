public import AsyncHTTPClient
public import Logging
public import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTP client that follows an ``HTTPEnvironment``: it sends requests directly or through a proxy,
/// and trusts the environment's certificates.
///
/// Redirects are not followed, because each target may need another route.
public final class OutboundClient: Sendable {
    private let environment: HTTPEnvironment
    /// Whether the configuration itself names the certificates to trust.
    private let trustsItsOwn: Bool
    private let clients: FirstUse<Clients>
    private let isShutDown = Mutex(false)

    /// The clients of one proxy.
    private struct Proxied: Sendable {
        let tunnel: HTTPClient
        /// `nil` for a SOCKS proxy, which passes on connections but not requests.
        let forward: HTTPClient?
        let requests: ForwardedRequests
    }

    /// The clients for each route.
    private struct Clients: Sendable {
        let direct: HTTPClient
        let proxied: [ProxyAddress: Proxied]

        init(_ configuration: HTTPClient.Configuration, _ environment: HTTPEnvironment, trustsItsOwn: Bool) {
            var configuration = configuration
            configuration.redirectConfiguration = .disallow
            configuration.proxy = nil
            if !trustsItsOwn, case .success(let certificates?) = environment.certificates {
                var tls = configuration.tlsConfiguration ?? .makeClientConfiguration()
                certificates.apply(to: &tls)
                configuration.tlsConfiguration = tls
            }
            direct = Self.client(configuration)
            var proxied: [ProxyAddress: Proxied] = [:]
            for case .proxy(let proxy, _) in [environment.plain, environment.secure] where proxied[proxy] == nil {
                var tunnel = configuration
                tunnel.proxy = proxy.tunnel
                let requests = ForwardedRequests(proxy: proxy)
                proxied[proxy] = Proxied(
                    tunnel: Self.client(tunnel),
                    forward: proxy.kind == .http ? Self.client(requests.configuring(configuration)) : nil, requests: requests)
            }
            self.proxied = proxied
        }

        var all: [HTTPClient] { [direct] + proxied.values.flatMap { [$0.tunnel, $0.forward].compactMap(\.self) } }

        private static func client(_ configuration: HTTPClient.Configuration) -> HTTPClient {
            HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup, configuration: configuration)
        }
    }

    /// - Parameter configuration: The configuration of the HTTP client. If its TLS configuration does not
    ///   name the certificates to trust, the environment's are used. Its settings for redirects and proxy
    ///   are ignored.
    public init(_ configuration: HTTPClient.Configuration, environment: HTTPEnvironment = .process) {
        self.environment = environment
        let trustsItsOwn = configuration.tlsConfiguration?.namesTrustRoots ?? false
        self.trustsItsOwn = trustsItsOwn
        clients = FirstUse { Clients(configuration, environment, trustsItsOwn: trustsItsOwn) }
    }

    deinit {
        // If the owner did not call `shutdown()`, no request is under way. `HTTPClient` requires a shutdown
        // before its own deinit.
        for client in clients.valueIfUsed?.all ?? [] { client.shutdown { _ in } }
    }

    /// Sends `request` and returns the response. The caller still has to read the response's body.
    ///
    /// - Throws: ``OutboundProblem`` if the request could not be sent, or any error of the HTTP client.
    public func execute(
        _ request: HTTPClientRequest, timeout: TimeAmount, logger: Logger? = nil
    ) async throws -> HTTPClientResponse {
        guard !isShutDown.withLock(\.self) else { throw HTTPClientError.alreadyShutdown }
        let clients = clients.value
        guard let target = OutboundTarget(request.url) else {
            return try await clients.direct.execute(request, timeout: timeout, logger: logger)
        }
        var request = request
        if target.isSecure { try trust(&request) }
        switch environment.route(to: target.host, port: target.port, isSecure: target.isSecure) {
        case .direct: return try await clients.direct.execute(request, timeout: timeout, logger: logger)
        case .problem(let problem): throw problem
        case .proxy(let proxy, let place):
            guard let proxied = clients.proxied[proxy] else {
                return try await clients.direct.execute(request, timeout: timeout, logger: logger)
            }
            let way = "the proxy \(proxy.origin), which \(place) names,"
            do {
                if !target.isSecure, let forward = proxied.forward {
                    let response = try await forward.execute(
                        proxied.requests.addressed(request, to: target), timeout: timeout, logger: logger)
                    if response.status == .proxyAuthenticationRequired { throw HTTPClientError.proxyAuthenticationRequired }
                    return response
                }
                return try await proxied.tunnel.execute(request, timeout: timeout, logger: logger)
            } catch {
                throw Self.problem(error, way) ?? error
            }
        }
    }

    /// Closes all connections. Nothing can be sent afterwards.
    public func shutdown() async throws {
        isShutDown.withLock { $0 = true }
        for client in clients.valueIfUsed?.all ?? [] { try await client.shutdown() }
    }

    /// Adds the environment's certificates to the TLS configuration of a request, if it has one that does
    /// not name certificates to trust.
    private func trust(_ request: inout HTTPClientRequest) throws(OutboundProblem) {
        if request.tlsConfiguration?.namesTrustRoots ?? trustsItsOwn { return }
        let certificates = try environment.certificates.get()
        guard let certificates, var tls = request.tlsConfiguration else { return }
        certificates.apply(to: &tls)
        request.tlsConfiguration = tls
    }

    /// Returns the proxy's mistake that an error shows, or `nil` if the server may have made the mistake.
    private static func problem(_ error: any Error, _ proxy: String) -> OutboundProblem? {
        let problem = NetworkProblem(error)
        return switch problem {
        case .noAddress, .noConnection, .connectTimeout: OutboundProblem("\(proxy) \(problem.words())", isPassing: true)
        default:
            switch error as? HTTPClientError {
            case .proxyAuthenticationRequired:
                OutboundProblem("\(proxy) asks for a user and password, as in http://user:password@host:port")
            case .invalidProxyResponse: OutboundProblem("\(proxy) does not open a connection to the server", isPassing: true)
            case .httpProxyHandshakeTimeout, .socksHandshakeTimeout: OutboundProblem("\(proxy) does not answer in time", isPassing: true)
            default: nil
            }
        }
    }
}
