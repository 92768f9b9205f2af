import ForeignText
import NIOCore
import NIOHTTP1

/// What a connection needs beside the requests on it: an end in time, and the habits of HTTP/1 clients.
///
/// - A request whose body does not come, and an answer that is not read, end the connection. (A head that does not come is ended by the
///   idle timeout.)
/// - `Connection: close` is understood in any spelling, and HTTP/1.0 implies it.
/// - `Expect: 100-continue` is answered before the body is read.
/// - Texts with more combining marks in a row than any language has are refused: to compare them would take quadratic time.
final class ConnectionHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    struct Limits: Sendable {
        /// How long a request may take to arrive, from its head on.
        var request: TimeAmount
        /// How long a part of an answer may wait for a client that reads nothing.
        var stall: TimeAmount = .minutes(5)
        /// The longest body that is read, in bytes.
        var body: Int
    }

    private let limits: Limits
    private let table: ConnectionTable
    private var entry: ConnectionTable.Entry?
    /// Requests whose answers have not ended.
    private var unanswered = 0
    private var isReadingBody = false
    /// No request after the last one is answered.
    private var closes = false
    /// A client waits for `100 Continue`, which may not stand in the middle of an earlier answer.
    private var isAskedToContinue = false
    private var isRefused = false
    private var bodyTimeout: Scheduled<Void>?
    private var stallCheck: Scheduled<Void>?
    /// Parts of answers that the client has not taken, and when it took the last one.
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
                // As if it were no HTTP: the answer is 400, and the connection ends.
                context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
                return
            }
            unanswered += 1
            isReadingBody = true
            if !head.isKeepAlive || head.version != .http1_1 {
                closes = true
                head.headers.replaceOrAdd(name: "Connection", value: "close")
            }
            isAskedToContinue = wantsContinue(head)
            continueIfAsked(context)
            context.fireChannelRead(wrapInboundOut(.head(head)))
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
        bodyTimeout = context.eventLoop.assumeIsolatedUnsafeUnchecked().scheduleTask(in: limits.request) {
            context.close(promise: nil)
        }
    }

    private static func isPlain(_ head: HTTPRequestHead) -> Bool {
        head.uri.isStreamSafe && head.headers.allSatisfy { $0.value.isStreamSafe }
    }

    /// One that says beforehand that it is too long is refused without it.
    private func wantsContinue(_ head: HTTPRequestHead) -> Bool {
        guard head.version == .http1_1, let expectation = head.headers.first(name: "Expect"), expectation.lowercased() == "100-continue"
        else { return false }
        return head.headers.first(name: "Content-Length").flatMap(Int.init).map { $0 <= limits.body } ?? true
    }

    private func continueIfAsked(_ context: ChannelHandlerContext) {
        guard isAskedToContinue, unanswered == 1 else { return }
        isAskedToContinue = false
        context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
    }

    // MARK: Answers

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            if closes, unanswered <= 1 { head.headers.replaceOrAdd(name: "Connection", value: "close") }
            context.write(wrapOutboundOut(.head(head)), promise: promise)
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
