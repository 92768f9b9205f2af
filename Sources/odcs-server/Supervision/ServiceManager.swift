import Glibc

/// A service manager is the program that started this process and wants to hear of its state, mostly
/// systemd. sd_notify(3) has the protocol: datagrams to the socket in `NOTIFY_SOCKET`.
struct ServiceManager: Sendable {
    /// The path of the socket. `@` at its beginning stands for an abstract name.
    private let path: String
    /// The interval at which the service manager expects a sign of life. `nil` without a watchdog.
    let watchdog: Duration?

    /// Returns the service manager of this process, or `nil` without `NOTIFY_SOCKET`.
    ///
    /// The variables are removed from the environment. Otherwise runc would report the state of a
    /// container as that of this process.
    static func take() -> ServiceManager? {
        defer { for name in ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] { unsetenv(name) } }
        guard let path = variable("NOTIFY_SOCKET"), path.hasPrefix("/") || path.hasPrefix("@") else { return nil }
        let isForThisProcess = variable("WATCHDOG_PID").map { $0 == "\(getpid())" } ?? true
        let interval = variable("WATCHDOG_USEC").flatMap { Int64($0) }.flatMap { $0 > 0 && isForThisProcess ? $0 : nil }
        return ServiceManager(path: path, watchdog: interval.map { .microseconds($0) })
    }

    private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Sends a message, for example `["READY=1", "STATUS=Listening"]`. Returns whether it was sent.
    @discardableResult
    func notify(_ lines: String...) -> Bool {
        let socket = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // An abstract name begins with a null byte, and ends with the address.
        var name = Array(path.utf8)
        if name.first == UInt8(ascii: "@") { name[0] = 0 }
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + name.count)
        let message = Array(lines.joined(separator: "\n").utf8)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, message, message.count, Int32(MSG_NOSIGNAL), $0, length) == message.count
            }
        }
    }
}
