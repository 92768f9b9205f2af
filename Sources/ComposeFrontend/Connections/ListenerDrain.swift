import CLinux
import Glibc
public import Logging
import NIOCore
public import ServiceLifecycle
import Synchronization

/// A *listener drain* lets a frontend stop without losing a request.
///
/// Linux completes a connection before the server accepts it. If the server closes its listening
/// socket, these connections are reset, and their clients do not know whether the request was read.
/// So before the socket is closed, it drops new attempts to connect for a moment, while the server
/// still answers all connections that exist. Linux repeats an attempt after a second. The socket is
/// closed then, and the attempt is refused, so that a load balancer tries another frontend.
///
/// **Example:** of two frontends behind nginx, one is restarted. No client sees an error.
public final class ListenerDrain: Service {
    private let listener = Mutex<(channel: any Channel, table: ConnectionTable)?>(nil)
    private let patience: Duration
    private let logger: Logger

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
            let filter = SynchronizeFilter.program
            try await socket.unsafeSetSocketOption(level: .socket, name: .init(rawValue: SO_ATTACH_FILTER), value: filter).get()
            // Nothing tells when the server has accepted the connections that are complete, so it gets some time.
            try await Task.sleep(for: patience)
        } catch {
            // A request may be lost then, but the server has to stop in any case.
            logger.warning("could not stop new connections before the end", metadata: ["error": "\(error)"])
        }
    }
}

/// A filter of a listening socket that drops the first packet of each new connection, and nothing
/// else.
private struct SynchronizeFilter: @unchecked Sendable {  // nothing writes to the instructions
    // The members are those of `struct sock_fprog` in linux/filter.h.
    private let length: UInt16
    private let instructions: UnsafeMutablePointer<sock_filter>

    /// The instructions are kept for ever, because the kernel reads them on another thread.
    static let program: SynchronizeFilter = {
        // The flags of a TCP header are its byte 13: SYN is 2, and ACK is 16 (RFC 9293, section 3.1).
        let program = [
            sock_filter(code: UInt16(BPF_LD | BPF_B | BPF_ABS), jt: 0, jf: 0, k: 13),
            sock_filter(code: UInt16(BPF_ALU | BPF_AND | BPF_K), jt: 0, jf: 0, k: 2 | 16),
            sock_filter(code: UInt16(BPF_JMP | BPF_JEQ | BPF_K), jt: 0, jf: 1, k: 2),
            sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: 0),
            sock_filter(code: UInt16(BPF_RET | BPF_K), jt: 0, jf: 0, k: .max),
        ]
        let instructions = UnsafeMutablePointer<sock_filter>.allocate(capacity: program.count)
        instructions.initialize(from: program, count: program.count)
        return SynchronizeFilter(length: UInt16(program.count), instructions: instructions)
    }()
}
