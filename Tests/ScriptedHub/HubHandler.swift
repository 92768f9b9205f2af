import Foundation
import Koji
import NIOCore
import NIOHTTP1
import Synchronization
import SystemPackage

/// Answers the requests of one connection to a ``ScriptedHub``.
final class HubHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// Files are written in such pieces, the next one when the connection has taken the last one.
    private static let pieceLength = 4096

    private let hub: ScriptedHub
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []

    init(_ hub: ScriptedHub) { self.hub = hub }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = []
        case .body(let bytes): body.append(contentsOf: bytes.readableBytesView)
        case .end:
            guard let head else { return }
            let path = head.uri.removingPercentEncoding ?? head.uri
            if path.hasPrefix("/topdir/") {
                sendFile(context, String(path.dropFirst("/topdir/".count)), head)
            } else if path == "/kojihub" {
                answerCall(context, head)
            } else {
                send(context, 404, "text/plain", Array("Not Found\n".utf8))
            }
        }
    }
}

// Calls.
extension HubHandler {
    private func answerCall(_ context: ChannelHandlerContext, _ head: HTTPRequestHead) {
        guard head.method == .POST else {
            return send(context, 405, "text/plain", Recordings.response("raw_get"))
        }
        guard !body.isEmpty else { return send(context, 400, "text/plain", Recordings.response("raw_empty")) }
        let call: XMLRPCCall
        do {
            call = try XMLRPCCall(parsing: body)
        } catch {
            return send(context, 400, "text/plain", Array("Invalid request: \(error)\n".utf8))
        }
        let (script, number) = hub.state.withLock { state in
            state.calls.append(call)
            state.userAgents.insert(head.headers.first(name: "user-agent") ?? "")
            return (state.script, state.calls.count { $0.method == call.method })
        }
        do {
            switch script(call, number) {
            case .answer: send(context, 200, "text/xml", try hub.document(for: call))
            case .reply(let reply): send(context, 200, "text/xml", try reply.document())
            case .status(let status, let headers):
                send(context, status, "text/html", Array("<html><body>Something else</body></html>".utf8), headers)
            case .bytes(let bytes, let type): send(context, 200, type, bytes)
            case .cut(let part):
                let document = try hub.document(for: call)
                sendHead(context, 200, "text/xml", length: document.count)
                sendPiece(context, document.prefix(Int(Double(document.count) * part))) { $0.close(promise: nil) }
            case .part(let part):
                let document = try hub.document(for: call)
                send(context, 200, "text/xml", Array(document.prefix(Int(Double(document.count) * part))))
            case .stall(let part):
                let document = try hub.document(for: call)
                sendHead(context, 200, "text/xml", length: document.count)
                sendPiece(context, document.prefix(Int(Double(document.count) * part)))
            case .hangUp: context.close(promise: nil)
            case .silence: return
            case .stream(let length, let piece):
                sendHead(context, 200, "text/xml", length: length)
                sendPieces(context, 0) { piece($0).map { $0[...] } }
            }
        } catch {
            send(context, 500, "text/plain", Array("\(error)\n".utf8))
        }
    }
}

// Files.
extension HubHandler {
    private func sendFile(_ context: ChannelHandlerContext, _ path: String, _ head: HTTPRequestHead) {
        let range = head.headers.first(name: "range")
        let (request, script) = hub.state.withLock { state in
            let number = state.fileRequests.count { $0.path == path } + 1
            let request = ScriptedHub.FileRequest(path: path, method: head.method.rawValue, range: range, number: number)
            state.fileRequests.append(request)
            return (request, state.fileScript)
        }
        let behaviour = script(request)
        let isConfined = !path.split(separator: "/").contains("..")
        let file = hub.directory.appending(path).string
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: file, isDirectory: &isDirectory) && !isDirectory.boolValue
        switch behaviour {
        case .status(let status): return send(context, status, "text/plain", [])
        case .bytes(let bytes): return sendContent(context, path, bytes[...], 200, [Self.version(of: bytes)])
        default: break
        }
        guard isConfined, exists, let content = FileManager.default.contents(atPath: file).map({ [UInt8]($0) }) else {
            return send(context, 404, "text/plain", Array("Not Found\n".utf8))
        }
        guard head.method == .GET else {
            sendHead(context, 200, "application/octet-stream", length: content.count)
            return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        switch behaviour {
        case .cut(let count):
            sendHead(context, 200, "application/octet-stream", length: content.count)
            sendPiece(context, content.prefix(count)) { $0.close(promise: nil) }
        case .stall(let count):
            sendHead(context, 200, "application/octet-stream", length: content.count)
            sendPiece(context, content.prefix(count))
        case .file where range != nil:
            guard let wanted = Self.bytes(of: range ?? "", in: content.count) else {
                return send(context, 416, "text/plain", [], [("content-range", "bytes */\(content.count)")])
            }
            let place = "bytes \(wanted.lowerBound)-\(wanted.upperBound - 1)/\(content.count)"
            sendContent(context, path, content[wanted], 206, [("content-range", place), Self.version(of: content)])
        default: sendContent(context, path, content[...], 200, [Self.version(of: content)])
        }
    }

    private static func version(of content: [UInt8]) -> (String, String) { ("etag", "\"\(content.count)-\(content.hashValue)\"") }

    private func sendContent(
        _ context: ChannelHandlerContext, _ path: String, _ content: ArraySlice<UInt8>, _ status: Int, _ headers: [(String, String)]
    ) {
        sendHead(context, status, "application/octet-stream", length: content.count, headers)
        sendPieces(context, 0) { [hub] number in
            let rest = content.dropFirst(number * Self.pieceLength)
            guard !rest.isEmpty else { return nil }
            let piece = rest.prefix(Self.pieceLength)
            // Before it is written, so that whoever has received it sees it counted.
            hub.state.withLock { $0.fileBytes[path, default: 0] += piece.count }
            return piece
        }
    }

    /// The bytes that a Range of one part asks for: "bytes=0-99", "bytes=100-", "bytes=-100".
    private static func bytes(of range: String, in length: Int) -> Range<Int>? {
        guard range.hasPrefix("bytes="), !range.contains(",") else { return 0..<length }
        let ends = range.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        guard ends.count == 2 else { return 0..<length }
        switch (ends[0], ends[1]) {
        case (let first?, let last): return first < length ? first..<min(length, (last ?? length) + 1) : nil
        case (nil, let count?): return max(0, length - count)..<length
        case (nil, nil): return 0..<length
        }
    }
}

// Writing.
extension HubHandler {
    private func send(
        _ context: ChannelHandlerContext, _ status: Int, _ type: String, _ body: [UInt8], _ headers: [(String, String)] = []
    ) {
        sendHead(context, status, type, length: body.count, headers)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: body)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func sendHead(
        _ context: ChannelHandlerContext, _ status: Int, _ type: String, length: Int?, _ headers: [(String, String)] = []
    ) {
        var fields = HTTPHeaders(headers)
        fields.add(name: "content-type", value: type)
        if let length { fields.add(name: "content-length", value: "\(length)") }
        let head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: fields)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    /// - Parameter then: what is done once it is written, and not before: closing drops what is not.
    private func sendPiece(
        _ context: ChannelHandlerContext, _ piece: ArraySlice<UInt8>, then: ((ChannelHandlerContext) -> Void)? = nil
    ) {
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: piece)))), promise: written)
        if let then { written.futureResult.assumeIsolated().whenComplete { _ in then(context) } }
    }

    /// The pieces from `number` on, each when the one before it is written.
    private func sendPieces(_ context: ChannelHandlerContext, _ number: Int, _ next: @escaping (Int) -> ArraySlice<UInt8>?) {
        guard context.channel.isActive else { return }
        guard let piece = next(number) else { return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil) }
        sendPiece(context, piece) { context in
            let loop = context.eventLoop.assumeIsolated()
            // In a turn of its own: a write may be done at once, and so many of them would fill the stack. A turn that is due at once comes before
            // everything else of the thread, so the other connections get theirs after some pieces.
            if number % 16 == 15 {
                loop.scheduleTask(in: .microseconds(200)) { self.sendPieces(context, number + 1, next) }
            } else {
                loop.execute { self.sendPieces(context, number + 1, next) }
            }
        }
    }
}
