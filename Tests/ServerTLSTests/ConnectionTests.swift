import Identity
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Testing
import X509

@testable import ServerTLS

@Suite("TLS connections")
struct ConnectionTests {
    private let directory: TestDirectory
    private let authority: TestAuthority
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let joe: DistinguishedName

    init() throws {
        directory = try TestDirectory()
        authority = try TestAuthority()
        joe = try DistinguishedName { CommonName("joe") }
    }

    private func files(_ server: TestAuthority.Issued, revoked: String? = nil) throws -> TLSFiles {
        TLSFiles(
            certificate: try directory.write(server.certificate, to: "server.pem"), key: try directory.write(server.key, to: "server.key"),
            clientAuthorities: try directory.write(authority.certificate, to: "clients.pem"),
            revokedSerials: try revoked.map { try directory.write($0, to: "revoked") })
    }

    private func server(_ name: String = "server") throws -> TestAuthority.Issued {
        try authority.issue(
            try DistinguishedName { CommonName(name) }, names: [.dnsName("localhost")], usage: .serverAuth, serial: [0x01])
    }

    /// Connects to a server with `tls`.
    ///
    /// - Returns: The names of the server's and of the client's certificate, or `nil` without the latter.
    private func connect(_ tls: ServerTLS, as client: TestAuthority.Issued? = nil) async throws -> (server: String?, client: String?) {
        let seen = NIOSingletons.posixEventLoopGroup.any().makePromise(of: String?.self)
        let listener = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(NIOSSLServerHandler(context: tls.context), Greeter(seen: seen))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(authority.certificate.utf8)))
        if let client {
            configuration.certificateChain = try NIOSSLCertificate.fromPEMBytes(Array(client.certificate.utf8)).map { .certificate($0) }
            configuration.privateKey = .privateKey(try NIOSSLPrivateKey(bytes: Array(client.key.utf8), format: .pem))
        }
        let context = try NIOSSLContext(configuration: configuration)
        let greeted = NIOSingletons.posixEventLoopGroup.any().makePromise(of: String?.self)
        let channel = try await ClientBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        NIOSSLClientHandler(context: context, serverHostname: "localhost"), Listener(greeted: greeted))
                }
            }
            .connect(host: "127.0.0.1", port: listener.localAddress?.port ?? 0).get()
        let result: Result<(String?, String?), any Error>
        do { result = .success((try await greeted.futureResult.get(), try await seen.futureResult.get())) } catch {
            result = .failure(error)
        }
        // Errors say that the other side has closed the connection before.
        try? await channel.close()
        try? await listener.close()
        seen.fail(ChannelError.eof)
        return try result.get()
    }

    @Test("A client without a certificate is anonymous, and one with a good certificate is known")
    func good() async throws {
        let tls = try ServerTLS(try files(try server()), logger: logger)
        #expect(try await connect(tls).client == nil)
        #expect(try await connect(tls, as: try authority.issue(joe)).client == "CN=joe")
        #expect(try await connect(tls, as: try authority.issue(joe, usage: nil)).client == "CN=joe")
    }

    @Test("A certificate of an intermediate authority is good if the client shows that authority too")
    func intermediate() async throws {
        let tls = try ServerTLS(try files(try server()), logger: logger)
        let team = try TestAuthority("Team CA", below: authority)
        let alone = try team.issue(joe)
        await #expect(throws: (any Error).self) { try await connect(tls, as: alone) }
        var chain = alone
        chain.certificate += "\n" + team.certificate
        #expect(try await connect(tls, as: chain).client == "CN=joe")
    }

    @Test("Certificates that are not good end the handshake", arguments: ["other", "self", "expired", "early", "purpose"])
    func bad(_ kind: String) async throws {
        let tls = try ServerTLS(try files(try server()), logger: logger)
        let certificate =
            switch kind {
            case "other": try TestAuthority().issue(joe)
            case "self": try authority.issue(joe, isSelfSigned: true)
            case "expired": try authority.issue(joe, days: -2...(-1))
            case "early": try authority.issue(joe, days: 1...2)
            default: try authority.issue(joe, usage: .serverAuth)
            }
        await #expect(throws: (any Error).self) { try await connect(tls, as: certificate) }
    }

    @Test("A renewed certificate is used for the next connection, and a broken one is not")
    func renewed() async throws {
        let files = try files(try server("first"))
        let tls = try ServerTLS(files, logger: logger)
        #expect(try await connect(tls).server == "CN=first")
        let second = try server("second")
        _ = try directory.write(second.certificate, to: "server.pem")
        tls.reloadIfChanged()
        // The key does not belong to the certificate yet.
        #expect(try await connect(tls).server == "CN=first")
        _ = try directory.write(second.key, to: "server.key")
        tls.reloadIfChanged()
        #expect(try await connect(tls).server == "CN=second")
    }

    @Test("Serial numbers are revoked in any spelling, and read again")
    func revoked() throws {
        let files = try files(try server(), revoked: "# lost\n0A:BC  # joe's\n\n0xyz".replacing("0xyz", with: "DEF"))
        let tls = try ServerTLS(files, logger: logger)
        #expect(tls.isRevoked(serial: "abc") && tls.isRevoked(serial: "def") && !tls.isRevoked(serial: "1"))
        _ = try directory.write("1\n", to: "revoked")
        tls.reloadIfChanged()
        #expect(tls.isRevoked(serial: "1") && !tls.isRevoked(serial: "abc"))
        // A line that nobody understands must not make the rest of the list vanish.
        _ = try directory.write("2\nCN=joe\n", to: "revoked")
        tls.reloadIfChanged()
        #expect(tls.isRevoked(serial: "1"))
    }

    @Test("Files that cannot be used are named")
    func unusable() throws {
        let good = try files(try server())
        var files = good
        files.certificate = "/nowhere.pem"
        #expect(throws: TLSFileProblem("/nowhere.pem does not exist, or has no certificate in PEM form")) {
            try ServerTLS(files, logger: logger)
        }
        files = good
        files.clientAuthorities = try directory.write("", to: "empty")
        #expect(throws: TLSFileProblem.self) { try ServerTLS(files, logger: logger) }
        files = good
        files.key = try directory.write(try server().key, to: "other.key")
        #expect(throws: TLSFileProblem("\(files.key) is not the key of the certificate in \(files.certificate)")) {
            try ServerTLS(files, logger: logger)
        }
    }
}

/// Tells a test the certificate of the client, and greets the client when the handshake has succeeded.
private final class Greeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let seen: EventLoopPromise<String?>

    init(seen: EventLoopPromise<String?>) { self.seen = seen }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent else { return }
        seen.completeWith(
            Result {
                try context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self).peerCertificate
                    .map { try ClientCertificate($0).subject }
            })
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "hello")), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// Tells a test the certificate of the server when the server greets.
private final class Listener: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let greeted: EventLoopPromise<String?>

    init(greeted: EventLoopPromise<String?>) { self.greeted = greeted }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        greeted.completeWith(
            Result {
                try context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self).peerCertificate
                    .map { try ClientCertificate($0).subject }
            })
    }

    func channelInactive(context: ChannelHandlerContext) { greeted.fail(ChannelError.eof) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        greeted.fail(error)
        context.close(promise: nil)
    }
}
