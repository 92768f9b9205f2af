import ForeignText
import NIOCore
import NIOHTTP1

/// A connection handler limits the time of a connection and supports the habits of HTTP/1 clients.
///
/// - It closes the connection if a request's body does not arrive, or if an answer is not read. (The
///   idle timeout covers a head that does not arrive.)
/// - It recognizes `Connection: close` in any spelling. HTTP/1.0 implies it.
/// - It answers `Expect: 100-continue` before the body is read.
/// - It refuses texts with more combining marks in a row than any language has, because comparing them
///   would take quadratic time.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    struct Limits: Sendable {
        /// The time in which a request has to arrive, counted from its head.
        var request: TimeAmount
        /// The time that a part of an answer waits for a client that reads nothing.
        var stall: TimeAmount = .minutes(5)
        /// The longest body that is read, in bytes.
        var body: Int
        /// The limits of uploads. `nil` if nothing is uploaded.
        var upload: Upload?

        /// The limits of requests with a method and a path that begins with a prefix.
        struct Upload: Sendable {
            var routes: [(method: HTTPMethod, pathPrefix: String)]
            var request: TimeAmount
            var body: Int
        }

        /// Returns the limits for a request: the time in which it has to arrive, and the longest body.
        func limits(of head: HTTPRequestHead) -> (request: TimeAmount, body: Int) {
            guard let upload, upload.routes.contains(where: { head.method == $0.method && head.uri.hasPrefix($0.pathPrefix) }) else {
                return (request, body)
            }
            return (upload.request, upload.body)
        }
    }

    private let limits: Limits
    private let table: ConnectionTable
    private var entry: ConnectionTable.Entry?
    /// The number of requests whose answers have not ended.
    private var unanswered = 0
    private var isReadingBody = false
    /// The time in which the body has to arrive.
    private var bodyTime = TimeAmount.zero
    /// Whether the connection ends with the answer to the last request. Further requests are not answered.
    private var closes = false
    /// Whether a client waits for `100 Continue`. It cannot be sent in the middle of an earlier answer.
    private var isAskedToContinue = false
    private var isRefused = false
    private var bodyTimeout: Scheduled<Void>?
    private var stallCheck: Scheduled<Void>?
    /// The number of parts of answers that the client has not taken yet, and the time when it took the last
    /// one.
    private var unwritten = 0
    private var progress = NIODeadline.now()

    init(limits: Limits, table: ConnectionTable) {
        self.limits = limits
        self.table = table
    }

    func handlerAdded(context: ChannelHandlerContext) {
        entry = table.opened(context.channel)
        let (entry, table) = (entry, table)
        context.channel.closeFuture.whenComplete { _ in
            if let entry { table.closed(entry) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        bodyTimeout?.cancel()
        stallCheck?.cancel()
        context.fireChannelInactive()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        switch unwrapInboundIn(data) {
        case .head(var head):
            guard Self.isPlain(head) else {
                isRefused = true
                // The request is treated as invalid HTTP: the answer is 400, and the connection ends.
                context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
                return
            }
            unanswered += 1
            isReadingBody = true
            bodyTime = limits.limits(of: head).request
            isAskedToContinue = wantsContinue(head)
            continueIfAsked(context)
            if head.isKeepAlive, head.version == .http1_1, !table.isDraining {
                context.fireChannelRead(data)
            } else {
                closes = true
                head.headers.replaceOrAdd(name: "Connection", value: "close")
                context.fireChannelRead(wrapInboundOut(.head(head)))
            }
        case .body:
            context.fireChannelRead(data)
        case .end:
            isReadingBody = false
            isAskedToContinue = false
            bodyTimeout?.cancel()
            bodyTimeout = nil
            entry?.works()
            context.fireChannelRead(data)
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        if isReadingBody, bodyTimeout == nil, !isRefused { scheduleBodyTimeout(context) }
        context.fireChannelReadComplete()
    }

    private func scheduleBodyTimeout(_ context: ChannelHandlerContext) {
        bodyTimeout = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: bodyTime) {
            context.close(promise: nil)
        }
    }

    private static func isPlain(_ head: HTTPRequestHead) -> Bool {
        head.uri.isStreamSafe && head.headers.allSatisfy { $0.value.isStreamSafe }
    }

    /// Returns whether `100 Continue` is to be sent. A request whose Content-Length exceeds the limit does
    /// not get it, because it is refused without reading the body.
    private func wantsContinue(_ head: HTTPRequestHead) -> Bool {
        guard head.version == .http1_1, let expectation = head.headers.first(name: "Expect"), expectation.lowercased() == "100-continue"
        else { return false }
        return head.headers.first(name: "Content-Length").flatMap(Int.init).map { $0 <= limits.limits(of: head).body } ?? true
    }

    private func continueIfAsked(_ context: ChannelHandlerContext) {
        guard isAskedToContinue, unanswered == 1 else { return }
        isAskedToContinue = false
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head) where closes && unanswered <= 1:
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .head:
            context.write(data, promise: promise)
        case .body:
            context.write(data, promise: countingDown(promise, context))
        case .end:
            unanswered -= 1
            context.write(data, promise: promise)
            continueIfAsked(context)
            if unanswered <= 0 { entry?.waits() }
        }
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        if unwritten > 0, stallCheck == nil { scheduleStallCheck(context, in: limits.stall) }
    }

    private func countingDown(_ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) -> EventLoopPromise<Void> {
        let promise = promise ?? context.eventLoop.makePromise(of: Void.self)
        if unwritten == 0 { progress = .now() }
        unwritten += 1
        promise.futureResult.assumeIsolatedUnsafeUnchecked().whenComplete { _ in
            self.unwritten -= 1
            self.progress = .now()
        }
        return promise
    }

    private func scheduleStallCheck(_ context: ChannelHandlerContext, in time: TimeAmount) {
        stallCheck = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: time) {
            self.stallCheck = nil
            guard self.unwritten > 0 else { return }
            let rest = self.progress + self.limits.stall - .now()
            guard rest > .nanoseconds(0) else { return context.close(promise: nil) }
            self.scheduleStallCheck(context, in: rest)
        }
    }
}
