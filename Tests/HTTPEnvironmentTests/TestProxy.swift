import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// An HTTP proxy in this process that plays the servers behind it, too: it answers what it should pass on, and what comes through a tunnel by TLS
/// as the host mirror.test.
final class TestProxy: Sendable {
    /// How it answers at first; `refuse` stands for a proxy that asks for a password.
    enum Mood: Sendable {
        case pass, refuse
    }

    static let certificate = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Certificates/mirror.pem").path

    private let heads = Mutex<[String]>([])
    let mood: Mood
    private let bound = Mutex(0)

    private init(_ mood: Mood) { self.mood = mood }

    /// `127.0.0.1:PORT`.
    var authority: String { "127.0.0.1:\(bound.withLock(\.self))" }
    /// The first line and the headers of each request, those inside of a tunnel after the `CONNECT` that opened it.
    var requests: [String] { heads.withLock(\.self) }

    func record(_ head: String) { heads.withLock { $0.append(head) } }

    /// Runs `body` with a proxy on a free port.
    static func with<Result>(_ mood: Mood = .pass, _ body: (TestProxy) async throws -> Result) async throws -> Result {
        let proxy = TestProxy(mood)
        let tls = try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: certificate, format: .pem))))
        let channel = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Connection(proxy, tls))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        proxy.bound.withLock { $0 = channel.localAddress?.port ?? 0 }
        do {
            let result = try await body(proxy)
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }
}

/// One connection: requests without bodies, one after the other.
private final class Connection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let proxy: TestProxy
    private let tls: NIOSSLContext
    private var received = ""

    init(_ proxy: TestProxy, _ tls: NIOSSLContext) {
        self.proxy = proxy
        self.tls = tls
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received += String(buffer: unwrapInboundIn(data))
        while let end = received.range(of: "\r\n\r\n") {
            let head = String(received[..<end.lowerBound])
            received.removeSubrange(..<end.upperBound)
            proxy.record(head)
            answer(head, context)
        }
    }

    private func answer(_ head: String, _ context: ChannelHandlerContext) {
        func write(_ text: String) { context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text)), promise: nil) }
        if proxy.mood == .refuse {
            write("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        } else if head.hasPrefix("CONNECT ") {
            write("HTTP/1.1 200 Connection established\r\n\r\n")
            do {
                try context.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls), position: .first)
            } catch {
                context.close(promise: nil)
            }
        } else {
            write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere")
        }
    }
}
