import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import SystemPackage

/// An HTTP server in this process that hands out the files of a directory, unless a test tells it to answer otherwise.
final class FileServer: Sendable {
    /// What was asked for.
    struct Request: Sendable {
        let path: String
        let headers: HTTPHeaders
        /// Which request for this path it is; the first is 1.
        let number: Int

        var range: String? { headers.first(name: "range") }
    }

    /// How to answer.
    enum Answer: Sendable {
        /// The file, with Range where it is asked for.
        case file
        /// The whole file, as a server without Range does.
        case wholeFile
        /// The head of the whole answer, this many bytes of the body, and then the end of the connection.
        case cut(after: Int)
        /// The head of the whole answer, this many bytes of the body, and then nothing more while the connection stays open.
        case stall(after: Int)
        /// As `stall`, from a server that says nothing about which version of the file it is.
        case stallUnversioned(after: Int)
        /// The file with these headers, or 304 with them for a request that names the same ETag, or else the same time.
        case versioned([(String, String)])
        case bytes([UInt8])
        case status(Int, headers: [(String, String)] = [])
        /// The head of an answer of that status whose body would have `length` bytes, a few bytes of it, and the end of the connection.
        case announce(Int, headers: [(String, String)], length: Int)
        /// The connection stays open and nothing comes.
        case silence
        /// One byte of the file at a time, for as long as somebody reads.
        case drip(every: TimeAmount)
        /// The head of an answer in chunks, and of the first chunk an extension that does not end.
        case endlessExtension(every: TimeAmount)
    }

    private struct State {
        var directory: FilePath
        var script: @Sendable (Request) -> Answer = { _ in .file }
        var requests: [Request] = []
        var sent = 0
    }

    private let state: Mutex<State>
    private let channel: Mutex<(any Channel)?> = Mutex(nil)

    private init(_ directory: FilePath) { state = Mutex(State(directory: directory)) }

    /// Runs `body` with a server on a free port of the loopback interface.
    static func with<Result>(_ directory: FilePath, _ body: (FileServer) async throws -> Result) async throws -> Result {
        let server = FileServer(directory)
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.pipeline.configureHTTPServerPipeline().flatMapThrowing {
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

    var port: Int { channel.withLock { $0?.localAddress?.port ?? 0 } }
    var address: String { "http://127.0.0.1:\(port)" }

    /// The requests so far.
    var requests: [Request] { state.withLock { $0.requests } }

    /// Bytes of all bodies so far.
    var bytesSent: Int { state.withLock { $0.sent } }

    /// From now on `directory` is what is handed out.
    func serve(_ directory: FilePath) { state.withLock { $0.directory = directory } }

    /// From now on `script` says how each request is answered.
    func answer(_ script: @escaping @Sendable (Request) -> Answer) { state.withLock { $0.script = script } }

    fileprivate func receive(_ head: HTTPRequestHead) -> (Answer, FilePath) {
        let path = head.uri.removingPercentEncoding ?? head.uri
        let (request, script) = state.withLock { state in
            let request = Request(path: path, headers: head.headers, number: state.requests.count { $0.path == path } + 1)
            state.requests.append(request)
            return (request, state.script)
        }
        let answer = script(request)
        return (answer, state.withLock { $0.directory }.appending(String(path.drop { $0 == "/" })))
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let server: FileServer

        init(server: FileServer) { self.server = server }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .head(let head) = unwrapInboundIn(data) else { return }
            let (answer, path) = server.receive(head)
            let content = FileManager.default.contents(atPath: path.string).map { [UInt8]($0) }
            switch answer {
            case .silence: return
            case .status(let code, let headers): send(context, code, HTTPHeaders(headers), [])
            case .versioned(let headers):
                let isSame = ["if-none-match": "etag", "if-modified-since": "last-modified"].contains { condition, name in
                    head.headers.first(name: condition).map { value in headers.contains { $0 == (name, value) } } ?? false
                }
                send(context, isSame ? 304 : 200, HTTPHeaders(headers), isSame ? [] : content ?? [])
            case .bytes(let bytes): send(context, 200, [:], bytes)
            case .endlessExtension(let pause):
                writeRaw(context, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;")
                extend(NIOLoopBound(context, eventLoop: context.eventLoop), pause)
            case .announce(let code, let headers, let length):
                sendHead(context, code, HTTPHeaders(headers), length: length)
                sendBody(context, Array("xxxx".utf8)[...], andClose: true)
            default:
                guard let content else { return send(context, 404, [:], []) }
                sendFile(context, answer, content, range: head.headers.first(name: "range"))
            }
        }

        private func sendFile(_ context: ChannelHandlerContext, _ answer: Answer, _ content: [UInt8], range: String?) {
            let version: HTTPHeaders = ["etag": "\"\(content.count)-\(content.hashValue)\""]
            let start = range.flatMap { Int($0.dropFirst("bytes=".count).prefix { $0 != "-" }) }
            switch answer {
            case .cut(let count):
                sendHead(context, 200, version, length: content.count)
                sendBody(context, content.prefix(count), andClose: true)
            case .stall(let count):
                sendHead(context, 200, version, length: content.count)
                sendBody(context, content.prefix(count))
            case .stallUnversioned(let count):
                sendHead(context, 200, [:], length: content.count)
                sendBody(context, content.prefix(count))
            case .drip(let pause):
                sendHead(context, 200, version, length: content.count)
                drip(NIOLoopBound(context, eventLoop: context.eventLoop), content[...], pause)
            case .file where start != nil:
                let start = start ?? 0
                guard start < content.count else { return send(context, 416, ["content-range": "bytes */\(content.count)"], []) }
                let last = min(content.count - 1, range.flatMap { Int($0.drop { $0 != "-" }.dropFirst()) } ?? .max)
                var headers = version
                headers.add(name: "content-range", value: "bytes \(start)-\(last)/\(content.count)")
                send(context, 206, headers, Array(content[start...last]))
            default: send(context, 200, version, content)
            }
        }

        private func send(_ context: ChannelHandlerContext, _ status: Int, _ headers: HTTPHeaders, _ body: [UInt8]) {
            sendHead(context, status, headers, length: body.count)
            sendBody(context, body[...])
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        private func sendHead(_ context: ChannelHandlerContext, _ status: Int, _ headers: HTTPHeaders, length: Int) {
            var headers = headers
            headers.add(name: "content-length", value: "\(length)")
            let head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
        }

        private func sendBody(_ context: ChannelHandlerContext, _ bytes: ArraySlice<UInt8>, andClose isLast: Bool = false) {
            server.state.withLock { $0.sent += bytes.count }
            let written = context.eventLoop.makePromise(of: Void.self)
            context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: written)
            // Not before: closing drops what is not written yet.
            if isLast { written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) } }
        }

        /// Past the encoder, which would not write what is no HTTP.
        private func writeRaw(_ context: ChannelHandlerContext, _ text: String) {
            let encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
            encoder?.writeAndFlush(NIOAny(IOData.byteBuffer(ByteBuffer(string: text))), promise: nil)
        }

        private func extend(_ context: NIOLoopBound<ChannelHandlerContext>, _ pause: TimeAmount) {
            guard context.value.channel.isActive else { return }
            writeRaw(context.value, "a")
            let this = NIOLoopBound(self, eventLoop: context.value.eventLoop)
            context.value.eventLoop.scheduleTask(in: pause) { this.value.extend(context, pause) }
        }

        private func drip(_ context: NIOLoopBound<ChannelHandlerContext>, _ rest: ArraySlice<UInt8>, _ pause: TimeAmount) {
            guard let byte = rest.first, context.value.channel.isActive else { return }
            sendBody(context.value, [byte])
            let this = NIOLoopBound(self, eventLoop: context.value.eventLoop)
            context.value.eventLoop.scheduleTask(in: pause) { this.value.drip(context, rest.dropFirst(), pause) }
        }
    }
}
