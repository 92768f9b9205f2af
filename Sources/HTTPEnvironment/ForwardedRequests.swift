import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Requests that an HTTP proxy passes on. A plain request goes to the proxy with the complete URL of
/// the target (RFC 9112, section 3.2.2). Many proxies open tunnels for TLS only, so `CONNECT` does not
/// work for plain requests.
struct ForwardedRequests {
    let proxy: ProxyAddress

    /// Returns `request` in the form that the HTTP client needs. Its URL names the proxy, and its `Host`
    /// header names the target.
    func addressed(_ request: HTTPClientRequest, to target: OutboundTarget) -> HTTPClientRequest {
        var request = request
        request.url = "http://\(proxy.authority)\(target.pathAndQuery)"
        request.headers.replaceOrAdd(name: "Host", value: target.authority)
        return request
    }

    /// Returns `configuration` for a client that sends all its requests to the proxy. It adds a handler
    /// that writes the complete URL into each request.
    func configuring(_ configuration: HTTPClient.Configuration) -> HTTPClient.Configuration {
        var configuration = configuration
        let authorization = proxy.authorization
        configuration.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                let encoder = try pipeline.handler(type: HTTPRequestEncoder.self)
                try pipeline.addHandler(WholeAddress(authorization: authorization), position: .after(encoder))
            }
        }
        return configuration
    }

    /// A channel handler that writes the complete URL into the first line of each request, and adds
    /// `Proxy-Authorization` if the proxy has credentials.
    private final class WholeAddress: ChannelOutboundHandler {
        typealias OutboundIn = HTTPClientRequestPart
        typealias OutboundOut = HTTPClientRequestPart

        private let authorization: String?

        init(authorization: String?) {
            self.authorization = authorization
        }

        func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
            guard case .head(var head) = unwrapOutboundIn(data), let host = head.headers.first(name: "Host") else {
                return context.write(data, promise: promise)
            }
            head.uri = "http://\(host)\(head.uri)"
            if let authorization { head.headers.replaceOrAdd(name: "Proxy-Authorization", value: authorization) }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        }
    }
}
