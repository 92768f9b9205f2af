import ComposeModel
import Foundation
import Hummingbird
import ImageModel
import NIOCore
import Synchronization

/// An HTTP server that takes state change messages, as an operator would have one.
struct WebhookReceiver: Sendable {
    struct Message: Decodable {
        let event: String
        let compose: ComposeDocument?
        let build: BuildDocument?
        let token: TokenDocument?
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
        return try await withLocalServer(router) { try await body(WebhookReceiver(url: "\($0)/events", messages: messages)) }
    }
}
