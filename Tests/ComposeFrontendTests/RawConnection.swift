import Glibc
import NIOCore
import NIOPosix

/// One connection on which a test writes exactly the bytes it wants.
enum RawConnection {
    /// Sends `text`, and returns all that comes back until the server closes.
    static func exchange(_ text: String, port: Int) async throws -> String {
        try await exchange(text, then: nil, after: "", port: port)
    }

    /// Sends `text`, and `rest` once the answer begins with `beginning`; returns all that comes back until the server closes.
    static func exchange(_ text: String, then rest: String?, after beginning: String, port: Int) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            // The server may close the connection before it has read all, or before anything is sent. All that
            // came until then is the answer.
            do { try await outbound.write(ByteBuffer(string: text)) } catch let error where isClosed(error) {}
            var answer = ByteBuffer()
            var rest = rest
            do {
                for try await var part in inbound {
                    answer.writeBuffer(&part)
                    guard let more = rest, String(buffer: answer).hasPrefix(beginning) else { continue }
                    rest = nil
                    try await outbound.write(ByteBuffer(string: more))
                }
            } catch let error where isClosed(error) {}
            return String(buffer: answer)
        }
    }

    /// Whether an error says that the server has closed the connection.
    private static func isClosed(_ error: any Error) -> Bool {
        switch error {
        case let error as IOError: [ECONNRESET, EPIPE].contains(error.errnoCode)
        case ChannelError.ioOnClosedChannel: true
        default: false
        }
    }
}
