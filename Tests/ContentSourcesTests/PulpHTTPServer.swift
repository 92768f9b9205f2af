import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTP server in this process that answers each request, its body included, as a function says.
final class PulpHTTPServer: Sendable {
    struct Request: Sendable {
        let method: String
        /// Path and query, as sent.
        let uri: String
        let headers: HTTPHeaders
        let body: [UInt8]
        /// Which request it is; the first is 1.
        let number: Int

        var path: String { String(uri.prefix { $0 != "?" }) }

        /// The parameters of the query, decoded; the last of several with one name counts.
        var query: [String: String] {
            guard let start = uri.firstIndex(of: "?") else { return [:] }
            let pairs = uri[uri.index(after: start)...].split(separator: "&").map { pair in
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                    $0.replacing("+", with: " ").removingPercentEncoding ?? String($0)
                }
                return (parts[0], parts.count > 1 ? parts[1] : "")
            }
            return Dictionary(pairs, uniquingKeysWith: { $1 })
        }
    }

    struct Answer: Sendable {
        enum Manner: Sendable {
            case whole
            /// More is announced than comes, and then the connection ends.
            case cut
            /// More is announced than comes, and the connection stays open.
            case stalled
            /// One byte at a time.
            case dripping
            /// Without an announced length, for as long as somebody reads.
            case endless
        }

        var status = 200
        var headers: [(String, String)] = []
        var body: [UInt8] = []
        var manner = Manner.whole

        static func json(_ text: String, status: Int = 200) -> Answer {
            Answer(status: status, headers: [("content-type", "application/json")], body: Array(text.utf8))
        }

        static func html(_ text: String, status: Int = 200) -> Answer {
            Answer(status: status, headers: [("content-type", "text/html")], body: Array(text.utf8))
        }

        static func status(_ status: Int, headers: [(String, String)] = []) -> Answer { Answer(status: status, headers: headers) }
    }

    private let script: @Sendable (Request) -> Answer?
    private let scheme: String
    private let received: Mutex<[Request]> = Mutex([])
    private let channel: Mutex<(any Channel)?> = Mutex(nil)

    private init(scheme: String, script: @escaping @Sendable (Request) -> Answer?) {
        self.scheme = scheme
        self.script = script
    }

    /// Runs `body` with a server on a free port of the loopback interface. Where `script` gives `nil`, nothing is answered.
    static func with<Result>(
        tls: NIOSSLContext? = nil, _ script: @escaping @Sendable (Request) -> Answer?, _ body: (PulpHTTPServer) async throws -> Result
    ) async throws -> Result {
        let server = PulpHTTPServer(scheme: tls == nil ? "http" : "https", script: script)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(server: server))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.channel.withLock { $0 = channel }
        do {
            let result = try await body(server)
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }

    var address: String { "\(scheme)://127.0.0.1:\(channel.withLock { $0?.localAddress?.port ?? 0 })" }

    /// The requests so far.
    var requests: [Request] { received.withLock { $0 } }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let server: PulpHTTPServer
        private var head: HTTPRequestHead?
        private var body: [UInt8] = []

        init(server: PulpHTTPServer) { self.server = server }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body = []
            case .body(let bytes): body += bytes.readableBytesView
            case .end:
                guard let head else { return }
                let request = server.received.withLock { received in
                    let request = Request(
                        method: head.method.rawValue, uri: head.uri, headers: head.headers, body: body, number: received.count + 1)
                    received.append(request)
                    return request
                }
                if let answer = server.script(request) { send(answer, context) }
            }
        }

        private func send(_ answer: Answer, _ context: ChannelHandlerContext) {
            var headers = HTTPHeaders(answer.headers)
            switch answer.manner {
            case .whole, .dripping: headers.add(name: "content-length", value: "\(answer.body.count)")
            case .cut, .stalled: headers.add(name: "content-length", value: "\(answer.body.count + 100)")
            case .endless: headers.add(name: "transfer-encoding", value: "chunked")
            }
            let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: answer.status), headers: headers)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            switch answer.manner {
            case .whole:
                sendBody(answer.body[...], context)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            case .cut:
                let written = sendBody(answer.body[...], context)
                written.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
            case .stalled: sendBody(answer.body[...], context)
            case .dripping: drip(answer.body[...], NIOLoopBound(context, eventLoop: context.eventLoop))
            case .endless: flood(answer.body, NIOLoopBound(context, eventLoop: context.eventLoop))
            }
        }

        @discardableResult
        private func sendBody(_ bytes: ArraySlice<UInt8>, _ context: ChannelHandlerContext) -> EventLoopFuture<Void> {
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))))
        }

        private func drip(_ rest: ArraySlice<UInt8>, _ context: NIOLoopBound<ChannelHandlerContext>) {
            guard let byte = rest.first, context.value.channel.isActive else { return }
            sendBody([byte], context.value)
            let this = NIOLoopBound(self, eventLoop: context.value.eventLoop)
            context.value.eventLoop.scheduleTask(in: .milliseconds(5)) { this.value.drip(rest.dropFirst(), context) }
        }

        private func flood(_ bytes: [UInt8], _ context: NIOLoopBound<ChannelHandlerContext>) {
            guard context.value.channel.isActive else { return }
            let this = NIOLoopBound(self, eventLoop: context.value.eventLoop)
            // Between two writes the thread has time for other connections.
            sendBody(bytes[...], context.value).whenSuccess {
                context.value.eventLoop.scheduleTask(in: .microseconds(200)) { this.value.flood(bytes, context) }
            }
        }
    }
}
