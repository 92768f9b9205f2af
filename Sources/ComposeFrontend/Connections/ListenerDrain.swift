import Glibc
public import Logging
import NIOCore
public import ServiceLifecycle
import Synchronization

/// A *listener drain* lets a frontend stop without losing a request.
///
/// Linux completes a connection before the server accepts it. If the server closes its listening
/// socket, these connections are reset, and their clients do not know whether the request was read.
/// So before the socket is closed, it is bound to a network interface that does not exist. Linux then
/// refuses each new connection, and a load balancer tries another frontend. Connections that have begun
/// are completed, and the server still answers them for a moment.
///
/// Every process may bind a socket of its own to an interface once, see socket(7). A filter of packets
/// would need a capability.
///
/// **Example:** of two frontends behind nginx, one is restarted. No client sees an error.
public final class ListenerDrain: Service {
    private let listener = Mutex<(channel: any Channel, table: ConnectionTable)?>(nil)
    private let patience: Duration
    private let logger: Logger
    /// The number of an interface that does not exist. Linux numbers interfaces from 1 on.
    private static let absentInterface = CInt.max

    /// - Parameter patience: The time for which the server answers before it closes its socket.
    public init(patience: Duration = .milliseconds(200), logger: Logger) {
        self.patience = patience
        self.logger = logger
    }

    /// Records the listening channel, and the table of its connections.
    func listens(on channel: any Channel, _ table: ConnectionTable) {
        listener.withLock { $0 = (channel, table) }
    }

    /// Waits for the graceful shutdown, and returns when the server may close its socket. The server
    /// must stand before this service in its service group.
    public func run() async throws {
        try await gracefulShutdown()
        guard let (channel, table) = listener.withLock({ $0 }) else { return }
        table.drain()
        guard let socket = channel as? any SocketOptionProvider else { return }
        do {
            try await socket.unsafeSetSocketOption(
                level: .socket, name: .init(rawValue: SO_BINDTOIFINDEX), value: Self.absentInterface
            ).get()
            // Nothing tells when the server has accepted the connections that are complete, so it gets some time.
            try await Task.sleep(for: patience)
        } catch {
            // A request may be lost then, but the server has to stop in any case.
            logger.warning("could not stop new connections before the end", metadata: ["error": "\(error)"])
        }
    }
}
