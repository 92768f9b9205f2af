import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOSSL
import ServerTLS

/// An HTTP/1.1 channel that serves each connection on the thread that reads and writes it. An answer
/// that waits for nothing therefore needs no change of threads. Blocking work, such as reading files,
/// has to run elsewhere.
struct LoopBoundChannel: ServerChildChannel {
    let http: HTTP1Channel
    let limits: ConnectionHandler.Limits
    let table: ConnectionTable
    /// The TLS of the connections. `nil` for connections without encryption.
    let tls: ServerTLS?

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        if let tls {
            do {
                try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls.context))
                if tls.asksForCertificates { try channel.pipeline.syncOperations.addHandler(ClientCertificateHandler(logger: logger)) }
            } catch {
                return channel.eventLoop.makeFailedFuture(error)
            }
        }
        return http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            // The handler needs the HTTP version of a request, which the next handler drops.
            let pipeline = channel.pipeline.syncOperations
            let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(ConnectionHandler(limits: limits, table: table), position: .after(decoder))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(eventLoop: value.channel.eventLoop)) {
            await http.handle(value: value, logger: logger)
        }
    }
}

extension HTTPServerBuilder {
    /// Returns a server like `http1(configuration:)`, but with each connection on the thread of its event
    /// loop.
    static func loopBoundHTTP1(
        configuration: HTTP1Channel.Configuration, limits: ConnectionHandler.Limits, table: ConnectionTable, tls: ServerTLS?
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            LoopBoundChannel(http: HTTP1Channel(responder: responder, configuration: configuration), limits: limits, table: table, tls: tls)
        }
    }
}

/// A task executor that runs tasks on the thread of an event loop.
private final class EventLoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
