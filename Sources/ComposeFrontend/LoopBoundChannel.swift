import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// HTTP/1.1, each connection of which is served on the thread that reads and writes it: an answer that waits for nothing costs no change of
/// threads. What blocks has to go elsewhere, as the reading of files does.
struct LoopBoundChannel: ServerChildChannel {
    let http: HTTP1Channel
    let limits: ConnectionHandler.Limits
    let table: ConnectionTable

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            // It has to see which version of HTTP a request is in, which the next handler forgets.
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
    /// As `http1(configuration:)`, with each connection on its event loop's thread.
    static func loopBoundHTTP1(
        configuration: HTTP1Channel.Configuration, limits: ConnectionHandler.Limits, table: ConnectionTable
    ) -> HTTPServerBuilder {
        HTTPServerBuilder { responder in
            LoopBoundChannel(http: HTTP1Channel(responder: responder, configuration: configuration), limits: limits, table: table)
        }
    }
}

/// An event loop's thread as the place where tasks run.
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
