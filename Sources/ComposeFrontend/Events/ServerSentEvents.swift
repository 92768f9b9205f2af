import Hummingbird
import NIOCore

/// The writing of an event stream, in the format of HTML's section "Server-sent events".
struct ServerSentEvents {
    private static let headers: HTTPFields = [
        .contentType: "text/event-stream", .cacheControl: "no-store",
        // A proxy such as nginx would otherwise collect the stream.
        .init("X-Accel-Buffering")!: "no",
    ]

    private let writer: any ResponseBodyWriter
    private var last = ContinuousClock.now

    /// Returns an answer whose stream `body` writes.
    static func response(_ body: @escaping @Sendable (inout ServerSentEvents) async throws -> Void) -> Response {
        Response(
            status: .ok, headers: headers,
            body: .init { writer in
                var events = ServerSentEvents(writer: writer)
                // The first bytes show the reader that the stream is open. A reader whose stream ends connects again
                // after this time, in milliseconds, which differs so that not all do at the same moment.
                try await events.write("retry: \(Int.random(in: 2000...4000))\n\n")
                try await body(&events)
                try await writer.finish(nil)
            })
    }

    private init(writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    /// Sends an event.
    ///
    /// - Parameters:
    ///   - id: The value with which the reader continues after it.
    ///   - data: The lines of the data.
    mutating func send(_ name: String, id: String, data: some Sequence<some StringProtocol>) async throws {
        var text = "id: \(id)\nevent: \(name)\n"
        for line in data { text += "data: \(line)\n" }
        try await write(text + "\n")
    }

    /// Sends a comment if nothing was sent for a while. It keeps proxies from ending the stream, and fails
    /// if the reader is gone.
    mutating func sendSignOfLife() async throws {
        guard ContinuousClock.now - last >= EventFeed.heartbeat * 0.9 else { return }
        try await write(":\n\n")
    }

    private mutating func write(_ text: String) async throws {
        last = .now
        var writer = writer
        try await writer.write(ByteBuffer(string: text))
    }
}
