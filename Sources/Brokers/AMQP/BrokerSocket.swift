import Deliveries
import Glibc

/// A broker socket is a TCP connection whose calls end at a deadline.
final class BrokerSocket {
    private let descriptor: CInt
    private let server: BrokerServer

    init(to server: BrokerServer, until deadline: Deadline) throws(BrokerProblem) {
        self.server = server
        let found = try Self.addresses(of: server, until: deadline)
        defer { freeaddrinfo(found) }
        var reason = "no address"
        var next = found
        while let address = next {
            switch Self.connected(to: address.pointee, until: deadline) {
            case .success(let descriptor):
                self.descriptor = descriptor
                return
            case .failure(let problem): reason = problem.description
            }
            next = address.pointee.ai_next
        }
        throw BrokerProblem("\(server) cannot be reached: \(reason).")
    }

    deinit { close(descriptor) }

    /// Looks up the name of a server. The caller frees the addresses.
    private static func addresses(
        of server: BrokerServer, until deadline: Deadline
    ) throws(BrokerProblem) -> UnsafeMutablePointer<addrinfo>? {
        typealias Lookup = (status: CInt, addresses: UnsafeMutablePointer<addrinfo>?)
        let lookup = SlowCall<Lookup>.value(until: deadline, late: { freeaddrinfo($0.addresses) }) {
            var hints = addrinfo()
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
            var found: UnsafeMutablePointer<addrinfo>?
            let status = getaddrinfo(server.host, "\(server.port)", &hints, &found)
            return (status, status == 0 ? found : nil)
        }
        guard let lookup else { throw BrokerProblem("The name \(server.host) was not found in time.") }
        guard lookup.status == 0 else {
            throw BrokerProblem("\(server.host) has no address: \(String(cString: gai_strerror(lookup.status))).")
        }
        return lookup.addresses
    }

    private static func connected(to address: addrinfo, until deadline: Deadline) -> Result<CInt, BrokerProblem> {
        let descriptor = socket(
            address.ai_family, address.ai_socktype | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue), address.ai_protocol)
        guard descriptor >= 0 else { return .failure(BrokerProblem(text(errno))) }
        func failed(_ problem: String) -> Result<CInt, BrokerProblem> {
            close(descriptor)
            return .failure(BrokerProblem(problem))
        }
        if connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 {
            guard errno == EINPROGRESS else { return failed(text(errno)) }
            while !isReady(descriptor, for: POLLOUT, within: deadline.slice ?? .zero) {
                if deadline.left == nil { return failed("no answer in time") }
            }
            var code: CInt = 0
            var size = socklen_t(MemoryLayout<CInt>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
            guard code == 0 else { return failed(text(code)) }
        }
        return .success(descriptor)
    }

    /// Reads what has arrived.
    ///
    /// - Returns: The number of bytes, 0 at the end of the connection, or `nil` if nothing came in time.
    func read(into buffer: UnsafeMutableRawBufferPointer, within time: Duration) throws(BrokerProblem) -> Int? {
        guard Self.isReady(descriptor, for: POLLIN, within: time) else { return nil }
        let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        if count >= 0 { return count }
        if errno == EAGAIN || errno == EINTR { return nil }
        throw BrokerProblem("The connection to \(server) broke: \(Self.text(errno)).")
    }

    /// Writes a part of the bytes, and returns their number.
    func write(_ bytes: UnsafeRawBufferPointer, until deadline: Deadline) throws(BrokerProblem) -> Int {
        while true {
            let count = Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return count }
            guard errno == EAGAIN || errno == EINTR else { throw BrokerProblem("The connection to \(server) broke: \(Self.text(errno)).") }
            guard let slice = deadline.slice else { throw BrokerProblem("\(server) took no messages in time.") }
            _ = Self.isReady(descriptor, for: POLLOUT, within: slice)
        }
    }

    private static func isReady(_ descriptor: CInt, for events: CInt, within time: Duration) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return poll(&entry, 1, CInt(time.milliseconds)) > 0
    }

    private static func text(_ code: CInt) -> String { String(cString: strerror(code)) }
}
