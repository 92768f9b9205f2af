import Identity
import Logging
import NIOCore
import NIOSSL
import NIOTLS
import ServerTLS

/// A client certificate handler keeps the names in the client's certificate of a TLS connection,
/// which are the same for all of its requests.
final class ClientCertificateHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let logger: Logger
    private var certificate: ClientCertificate?

    init(logger: Logger) { self.logger = logger }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            do {
                let handler = try context.pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)
                certificate = try handler.peerCertificate.map { try ClientCertificate($0) }
            } catch {
                // Without a certificate the client would be another sender than it believes to be.
                logger.info("a client certificate cannot be read", metadata: ["reason": "\(error)"])
                context.close(promise: nil)
                return
            }
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Returns the certificate of a connection. Returns `nil` for a connection without one, and away from
    /// the connection's thread.
    static func certificate(of channel: any Channel) -> ClientCertificate? {
        guard channel.eventLoop.inEventLoop else { return nil }
        // An error says that the connection has no TLS.
        return try? channel.pipeline.syncOperations.handler(type: ClientCertificateHandler.self).certificate
    }
}
