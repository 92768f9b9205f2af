public import ImageModel
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
public import SystemPackage

/// An HTTP server in the test's process that answers as the test says. It stands for registries, token
/// services, hosts of blobs and container engines that are broken or hostile.
public final class ScriptedRegistry: Sendable {
    /// A request as it arrived.
    public struct Request: Sendable {
        public let method: String
        /// The path with the query.
        public let uri: String
        /// The names are in lower case.
        public let headers: [String: String]
        /// The number of this request for its method and path. The first is 1.
        public let number: Int
        public let bodyBytes: Int

        /// For example `GET /v2/web/manifests/latest`.
        public var line: String { "\(method) \(uri)" }
        public var authorization: String? { headers["authorization"] }
    }

    public struct Answer: Sendable {
        public enum Body: Sendable {
            case bytes([UInt8])
            /// The head announces so many bytes. These bytes follow, and then the connection ends.
            case cut([UInt8], announced: String)
            /// These bytes, and then nothing more. The connection stays open.
            case stalled([UInt8])
            /// The same piece again and again, until the client closes the connection.
            case endless([UInt8])
        }

        public var status: Int
        public var headers: [(String, String)]
        public var body: Body

        public init(_ status: Int, _ headers: [(String, String)] = [], _ body: Body = .bytes([])) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        public init(_ status: Int, _ headers: [(String, String)] = [], text: String) {
            self.init(status, headers, .bytes(Array(text.utf8)))
        }
    }

    private struct State {
        var requests: [Request] = []
        var script: @Sendable (Request) -> Answer = { _ in Answer(404) }
    }

    private let state = Mutex(State())
    private let port = Mutex(0)

    private init() {}

    public var host: RegistryHost { get throws { try RegistryHost("127.0.0.1:\(port.withLock { $0 })") } }
    /// For example `http://127.0.0.1:38245`.
    public var origin: String { "http://127.0.0.1:\(port.withLock { $0 })" }
    /// The requests so far, the oldest first.
    public var requests: [Request] { state.withLock { $0.requests } }

    public func repository(_ path: String) throws -> ImageRepository { try ImageRepository(host: host, path: path) }

    /// From now on `script` answers the requests.
    public func answer(_ script: @escaping @Sendable (Request) -> Answer) { state.withLock { $0.script = script } }

    /// Runs `body` with a server on a loopback port that the kernel chose. It answers 404 at first.
    ///
    /// - Parameter socket: The path of a Unix socket to listen on instead.
    public static func with<Value>(socket: FilePath? = nil, _ body: (ScriptedRegistry) async throws -> Value) async throws -> Value {
        let registry = ScriptedRegistry()
        let server = ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(registry))
                }
            }
        let channel =
            if let socket {
                try await server.bind(unixDomainSocketPath: socket.string).get()
            } else {
                try await server.bind(host: "127.0.0.1", port: 0).get()
            }
        registry.port.withLock { $0 = channel.localAddress?.port ?? 0 }
        do {
            let value = try await body(registry)
            try await channel.close()
            return value
        } catch {
            try await channel.close()
            throw error
        }
    }

    fileprivate func note(_ head: HTTPRequestHead, bodyBytes: Int) -> Answer {
        let headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $0 + ", " + $1 })
        let (request, script) = state.withLock { state in
            let number = state.requests.count { $0.method == head.method.rawValue && $0.uri == head.uri } + 1
            let request = Request(method: head.method.rawValue, uri: head.uri, headers: headers, number: number, bodyBytes: bodyBytes)
            state.requests.append(request)
            return (request, state.script)
        }
        return script(request)
    }
}

private final class Handler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let registry: ScriptedRegistry
    private var head: HTTPRequestHead?
    private var bodyBytes = 0

    init(_ registry: ScriptedRegistry) { self.registry = registry }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): (self.head, bodyBytes) = (head, 0)
        case .body(let bytes): bodyBytes += bytes.readableBytes
        case .end:
            guard let head else { return }
            send(registry.note(head, bodyBytes: bodyBytes), context)
        }
    }

    private func send(_ answer: ScriptedRegistry.Answer, _ context: ChannelHandlerContext) {
        var headers = HTTPHeaders(answer.headers)
        switch answer.body {
        case .bytes(let bytes) where !headers.contains(name: "content-length"): headers.add(name: "content-length", value: "\(bytes.count)")
        case .cut(_, let announced): headers.add(name: "content-length", value: announced)
        default: break
        }
        let head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        switch answer.body {
        case .bytes(let bytes):
            if !bytes.isEmpty { context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil) }
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        case .cut(let bytes, _): piece(bytes, context) { $0.close(promise: nil) }
        case .stalled(let bytes): piece(bytes, context) { _ in }
        case .endless(let bytes): repeated(bytes, context)
        }
    }

    private func piece(_ bytes: [UInt8], _ context: ChannelHandlerContext, then: @escaping (ChannelHandlerContext) -> Void) {
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: written)
        // A write may be done at once. A turn that is due at once comes before everything else of the thread,
        // so it is due later.
        written.futureResult.assumeIsolated().whenComplete { _ in
            context.eventLoop.assumeIsolated().scheduleTask(in: .microseconds(200)) { then(context) }
        }
    }

    private func repeated(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        piece(bytes, context) { self.repeated(bytes, $0) }
    }
}
