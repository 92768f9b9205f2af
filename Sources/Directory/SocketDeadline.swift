import CLDAP
import Dispatch
import Glibc
import Synchronization

/// A socket deadline ends the socket of an LDAP connection when a search has taken too long.
///
/// libldap's own timeouts do not count while TLS begins. A server that accepts connections and then
/// stands still would hold the thread of the search without an end.
final class SocketDeadline: Sendable {
    private enum State {
        case open(sockets: Set<CInt>)
        case over
    }

    private let state = Mutex(State.open(sockets: []))

    /// - Parameter time: The time after which the sockets are ended. The thread of the search blocks, so a
    ///   thread of Dispatch does it.
    init(after time: Duration) {
        let (seconds, attoseconds) = time.components
        let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
        DispatchQueue.global().asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { [weak self] in self?.pass() }
    }

    private func pass() {
        state.withLock { state in
            // The call that waits for the socket sees its end, and closes it.
            if case .open(let sockets) = state { for socket in sockets { shutdown(socket, CInt(SHUT_RDWR)) } }
            state = .over
        }
    }

    /// Whether the time is over.
    var isOver: Bool {
        state.withLock { if case .over = $0 { true } else { false } }
    }

    /// Adds a socket that has just connected. A socket that comes too late is ended at once.
    fileprivate func add(_ socket: CInt) {
        state.withLock { state in
            switch state {
            case .open(let sockets): state = .open(sockets: sockets.union([socket]))
            case .over: shutdown(socket, CInt(SHUT_RDWR))
            }
        }
    }

    /// Forgets a socket before it is closed. Its number may be that of another file afterwards.
    fileprivate func remove(_ socket: CInt) {
        state.withLock { state in
            if case .open(let sockets) = state { state = .open(sockets: sockets.subtracting([socket])) }
        }
    }

    /// Forgets all sockets.
    func end() { state.withLock { $0 = .over } }
}

/// The functions by which libldap reports the sockets of a connection to a deadline.
struct SocketReports: ~Copyable {
    private let callbacks: UnsafeMutablePointer<ldap_conncb>
    private let deadline: SocketDeadline

    /// - Parameter deadline: It lives as long as the reports.
    init(to deadline: SocketDeadline) {
        self.deadline = deadline
        callbacks = .allocate(capacity: 1)
        callbacks.initialize(
            to: ldap_conncb(
                lc_add: { _, buffer, _, _, callbacks in
                    if let deadline = SocketReports.deadline(callbacks), let socket = SocketReports.socket(of: buffer) {
                        deadline.add(socket)
                    }
                    return LDAP_SUCCESS
                },
                lc_del: { _, buffer, callbacks in
                    if let deadline = SocketReports.deadline(callbacks), let socket = SocketReports.socket(of: buffer) {
                        deadline.remove(socket)
                    }
                }, lc_arg: Unmanaged.passUnretained(deadline).toOpaque()))
    }

    deinit { callbacks.deallocate() }

    /// Adds the functions to a connection, which must not outlive the reports.
    func add(to handle: OpaquePointer) -> CInt { ldap_set_option(handle, LDAP_OPT_CONNECT_CB, callbacks) }

    private static func deadline(_ callbacks: UnsafeMutablePointer<ldap_conncb>?) -> SocketDeadline? {
        guard let argument = callbacks?.pointee.lc_arg else { return nil }
        return Unmanaged<SocketDeadline>.fromOpaque(argument).takeUnretainedValue()
    }

    private static func socket(of buffer: OpaquePointer?) -> CInt? {
        var socket: CInt = -1
        guard let buffer, ber_sockbuf_ctrl(buffer, LBER_SB_OPT_GET_FD, &socket) == 1, socket >= 0 else { return nil }
        return socket
    }
}
