import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// A receiver of webhooks whose answers a test chooses.
struct EventReceiver: Sendable {
    /// A message as it was received.
    struct Delivery: Sendable {
        let headers: HTTPFields
        let body: Data

        /// The number of the event, by the header `webhook-id`.
        var event: Int { Int((self["webhook-id"] ?? "").dropFirst("odcs-".count)) ?? 0 }
        /// Example: `12 done`.
        var change: String {
            get throws {
                struct Message: Decodable {
                    struct Compose: Decodable { let id: Int, state_name: String }
                    let compose: Compose?
                }
                let compose = try JSONDecoder().decode(Message.self, from: body).compose
                return compose.map { "\($0.id) \($0.state_name)" } ?? ""
            }
        }

        subscript(name: String) -> String? { HTTPField.Name(name).flatMap { headers[$0] } }
    }

    let url: String
    /// Every message that came, also those that were refused.
    let deliveries: AsyncStream<Delivery>

    static func with<R: Sendable>(
        answer: @escaping @Sendable (Delivery) async -> HTTPResponse.Status, _ body: @escaping @Sendable (EventReceiver) async throws -> R
    ) async throws -> R {
        let (deliveries, delivery) = AsyncStream.makeStream(of: Delivery.self)
        let router = Router()
        router.post("/events") { request, _ -> Response in
            let received = Delivery(
                headers: request.headers, body: Data((try await request.body.collect(upTo: 1 << 20)).readableBytesView))
            let status = await answer(received)
            delivery.yield(received)
            return Response(status: status, headers: [.location: "/elsewhere"])
        }
        return try await withLocalServer(router) { try await body(EventReceiver(url: "\($0)/events", deliveries: deliveries)) }
    }
}
