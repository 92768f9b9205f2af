import ComposeTestKit
import Glibc
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import ComposeFrontend

/// A frontend that stops takes no connection that it does not answer.
@Suite(.timeLimit(.minutes(1))) struct ListenerDrainTests {
    @Test("after the drain, a new connection is refused, and those that exist or wait to be accepted are answered")
    func drain() async throws {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Echo()) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(listener.localAddress)
        let port = try #require(address.port)
        let (answers, answer) = AsyncStream.makeStream(of: String.self)
        let client = ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Collector(answer: answer)) }
            }
        let old = try await client.connect(to: address).get()
        var iterator = answers.makeAsyncIterator()
        try await old.writeAndFlush(ByteBuffer(string: "accepted")).get()
        #expect(await iterator.next() == "accepted")
        // The kernel completes this connection, and the server does not accept it yet.
        try await listener.setOption(.autoRead, value: false).get()
        let waiting = try await client.connect(to: address).get()

        let table = ConnectionTable(most: 10)
        let drain = ListenerDrain(patience: .milliseconds(1), logger: .silent)
        drain.listens(on: listener, table)
        let (starts, start) = AsyncStream.makeStream(of: Void.self)
        let group = ServiceGroup(services: [Started(start: start), drain], logger: .silent)
        async let running: Void = group.run()
        var started = starts.makeAsyncIterator()
        _ = await started.next()
        await group.triggerGracefulShutdown()
        try await running
        #expect(table.isDraining)

        let refusal = await #expect(throws: NIOConnectionError.self) { _ = try await client.connect(host: "127.0.0.1", port: port).get() }
        #expect(refusal?.connectionErrors.map { ($0.error as? IOError)?.errnoCode } == [ECONNREFUSED])

        try await old.writeAndFlush(ByteBuffer(string: "again")).get()
        #expect(await iterator.next() == "again")
        try await waiting.writeAndFlush(ByteBuffer(string: "late")).get()
        try await listener.setOption(.autoRead, value: true).get()
        #expect(await iterator.next() == "late")

        try await listener.close()
        try await waiting.close()
        try await old.close()
    }

    /// A service that reports that its group runs.
    private struct Started: Service {
        let start: AsyncStream<Void>.Continuation

        func run() async throws {
            start.yield()
            try await gracefulShutdown()
        }
    }

    /// Sends back what it gets.
    private final class Echo: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            context.writeAndFlush(wrapOutboundOut(unwrapInboundIn(data)), promise: nil)
        }
    }

    private final class Collector: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer

        private let answer: AsyncStream<String>.Continuation

        init(answer: AsyncStream<String>.Continuation) {
            self.answer = answer
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            answer.yield(String(buffer: unwrapInboundIn(data)))
        }
    }
}
