import ComposeModel
import ComposeTestKit
import Foundation
import Hummingbird
import NIOCore
import Synchronization

/// An HTTP server that takes state change messages, as an operator would have one.
struct WebhookReceiver: Sendable {
    struct Message: Decodable {
        let event: String
        let compose: ComposeDocument
    }

    let url: String
    /// What was accepted, in the order in which it came.
    let messages: AsyncStream<Message>

    /// Receives while `body` runs; the first `refusals` messages are answered with 503.
    static func with<R: Sendable>(
        refusals: Int = 0, _ body: @escaping @Sendable (WebhookReceiver) async throws -> R
    ) async throws -> R {
        let (messages, message) = AsyncStream.makeStream(of: Message.self)
        let toRefuse = Mutex(refusals)
        let router = Router()
        router.post("/events") { request, _ -> HTTPResponse.Status in
            let refuses = toRefuse.withLock { count in
                count -= 1
                return count >= 0
            }
            if refuses { return .serviceUnavailable }
            let bytes = try await request.body.collect(upTo: 1 << 20)
            message.yield(try JSONDecoder().decode(Message.self, from: Data(bytes.readableBytesView)))
            return .noContent
        }
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in port.yield(channel.localAddress?.port ?? 0) }, logger: .silent)
        return try await withThrowingTaskGroup(of: R?.self) { group in
            group.addTask {
                try await application.run()
                return nil
            }
            group.addTask {
                for await port in ports {
                    return try await body(WebhookReceiver(url: "http://127.0.0.1:\(port)/events", messages: messages))
                }
                return nil
            }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }
}
