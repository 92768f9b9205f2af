import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization

/// The writing of an event stream, in the format of HTML's section "Server-sent events".
struct ServerSentEvents {
    private static let headers: HTTPFields = [
        .contentType: "text/event-stream", .cacheControl: "no-store",
        // A proxy such as nginx would otherwise collect the stream.
        .init("X-Accel-Buffering")!: "no",
    ]

    private let writer: any ResponseBodyWriter
    private let watch: ReaderWatch
    private var last = ContinuousClock.now

    /// Returns an answer whose stream `body` writes.
    static func response(_ body: @escaping @Sendable (inout ServerSentEvents) async throws -> Void) -> Response {
        Response(
            status: .ok, headers: headers,
            body: .init { writer in
                let watch = ReaderWatch()
                let single = SingleWriter(writer: writer)
                try await withThrowingTaskGroup(of: Bool.self) { group in
                    group.addTask {
                        let writer = single.writer
                        var events = ServerSentEvents(writer: writer, watch: watch)
                        // The first bytes show the reader that the stream is open. A reader whose stream ends connects again
                        // after this time, in milliseconds, which differs so that not all do at the same moment.
                        try await events.write("retry: \(Int.random(in: 2000...4000))\n\n")
                        try await body(&events)
                        try await writer.finish(nil)
                        return true
                    }
                    group.addTask {
                        await watch.wait()
                        return false
                    }
                    let isComplete = try await group.next() ?? false
                    group.cancelAll()
                    // The error makes the server close the connection.
                    if !isComplete { throw ReaderIsStuck() }
                }
            })
    }

    private init(writer: any ResponseBodyWriter, watch: ReaderWatch) {
        self.writer = writer
        self.watch = watch
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
        watch.begin()
        try await writer.write(ByteBuffer(string: text))
        watch.end()
    }
}

/// The error of a stream whose reader reads nothing.
private struct ReaderIsStuck: Error {}

/// A reader watch notices a reader that reads nothing. Its stream would keep its place otherwise, and
/// would hold up the end of the process.
private final class ReaderWatch: Sendable {
    /// The longest time that a write may take.
    private static let patience = Duration.seconds(30)
    /// The time for the last bytes after the shutdown has begun.
    private static let farewell = Duration.seconds(1)

    private let began = Mutex<ContinuousClock.Instant?>(nil)

    func begin() { began.withLock { $0 = .now } }
    func end() { began.withLock { $0 = nil } }

    /// Returns when a write takes too long, or soon after the shutdown has begun.
    func wait() async {
        await cancelWhenGracefulShutdown {
            // The sleep fails only if the task is canceled.
            while (try? await Task.sleep(for: Self.patience / 3)) != nil {
                if let began = self.began.withLock(\.self), ContinuousClock.now - began > Self.patience { return }
            }
        }
        // The stream is cut off after this time. The sleep fails only if the stream has ended before.
        if Task.isShuttingDownGracefully { try? await Task.sleep(for: Self.farewell) }
    }
}

/// A writer that only one task uses.
private struct SingleWriter: @unchecked Sendable {  // the task that watches the reader does not touch it
    let writer: any ResponseBodyWriter
}
