import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Requests that an HTTP proxy passes on: a plain request goes to the proxy with the whole address of what is asked for (RFC 9112, section
/// 3.2.2). Many proxies open tunnels for TLS only, so that `CONNECT` is no way for plain requests.
struct ForwardedRequests {
    let proxy: ProxyAddress

    /// `request` as the HTTP client has to be given it: to the proxy, with the host in its header.
    func addressed(_ request: HTTPClientRequest, to target: OutboundTarget) -> HTTPClientRequest {
        var request = request
        request.url = "http://\(proxy.authority)\(target.pathAndQuery)"
        request.headers.replaceOrAdd(name: "Host", value: target.authority)
        return request
    }

    /// `configuration` for a client whose requests are all passed on by the proxy.
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

    /// Writes the whole address into the first line of each request.
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
