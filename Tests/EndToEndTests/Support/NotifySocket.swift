import Foundation
import Glibc

/// A socket for the messages that a service sends to systemd, see sd_notify(3).
final class NotifySocket: Sendable {
    /// The messages in their order.
    let messages: AsyncStream<String>
    private let socket: Int32

    /// - Parameter path: The path of the socket. `@` at its beginning stands for an abstract name.
    init(_ path: String) throws {
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        self.socket = socket
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        if path.hasPrefix("@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) == 0 }
        }
        guard isBound else { throw POSIXError(.init(rawValue: errno) ?? .EIO) }
        let (messages, message) = AsyncStream.makeStream(of: String.self)
        self.messages = messages
        Thread.detachNewThread {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(socket, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                message.yield(String(decoding: buffer[..<count], as: UTF8.self))
            }
            message.finish()
        }
    }

    /// Ends the messages.
    func end() {
        shutdown(socket, Int32(SHUT_RD))
        close(socket)
    }
}
