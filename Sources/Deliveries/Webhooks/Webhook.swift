import AsyncHTTPClient
public import ComposeStore
import Crypto
import Foundation
public import HTTPEnvironment
import NIOCore
import NIOHTTP1
import Retries

/// A webhook is an address that events are posted to, and how they are chosen and signed.
public struct Webhook: Hashable, Sendable {
    /// The name of the subscriber. It has no secrets, because admins see it.
    public var name: String
    public var url: String
    public var filter: EventFilter
    /// The keys that sign each message. There are two while a secret is being changed, and none if the
    /// messages are not signed.
    public var secrets: [WebhookSecret]

    public init(name: String, url: String, filter: EventFilter = EventFilter(), secrets: [WebhookSecret] = []) {
        self.name = name
        self.url = url
        self.filter = filter
        self.secrets = secrets
    }

    /// Returns a name for an address that shows none of its secrets. Example:
    /// `https://hooks.example.org/odcs`.
    public static func name(of url: String) -> String {
        guard var parts = URLComponents(string: url) else { return url }
        let hasSecret = parts.query != nil || parts.user != nil
        (parts.user, parts.password, parts.query, parts.fragment) = (nil, nil, nil, nil)
        guard hasSecret else { return parts.string ?? url }
        // The digest tells two addresses apart that differ in their secrets alone.
        let digest = SHA256.hash(data: Data(url.utf8)).prefix(4).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return "\(parts.string ?? "") \(digest.joined())"
    }

}

/// A webhook receiver posts events to a webhook. It sends the events of four objects side by side.
public struct WebhookReceiver: EventReceiver {
    private let webhook: Webhook
    private let client: OutboundClient

    public var name: String { webhook.name }
    public var filter: EventFilter { webhook.filter }
    public var lanes: Int { 4 }
    public var mostAtOnce: Int { 1 }

    public init(_ webhook: Webhook, client: OutboundClient) {
        self.webhook = webhook
        self.client = client
    }

    public func send(_ messages: [OutgoingEvent]) async -> [DeliveryAnswer] {
        var answers: [DeliveryAnswer] = []
        for message in messages { answers.append(await post(message, at: .now)) }
        return answers
    }

    private func post(_ message: OutgoingEvent, at time: Date) async -> DeliveryAnswer {
        var request = HTTPClientRequest(url: webhook.url)
        request.method = .POST
        let (id, body, timestamp) = (message.messageID, message.body, Int(time.timeIntervalSince1970))
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "webhook-id", value: id)
        request.headers.add(name: "webhook-timestamp", value: "\(timestamp)")
        if !webhook.secrets.isEmpty {
            let signatures = webhook.secrets.map { $0.signature(id: id, timestamp: timestamp, body: body) }
            request.headers.add(name: "webhook-signature", value: signatures.joined(separator: " "))
        }
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await client.execute(request, timeout: TimeAmount(EventDelivery.patience))
            await Self.read(response.body)
            let asked = response.headers.first(name: "Retry-After").flatMap(RetryAfter.pause)
            return DeliveryAnswer(status: Int(response.status.code), asked: asked)
        } catch {
            return Task.isCancelled ? .canceled : .unreachable("It \(NetworkProblem(error).words(answering: EventDelivery.patience)).")
        }
    }

    /// Reads a short answer to its end, so that the connection can be used again. The status counts even if
    /// the answer is long or breaks off.
    private static func read(_ body: HTTPClientResponse.Body) async {
        await withTaskGroup(of: Void.self) { group in
            // A failure means that the connection cannot be used again, and the client closes it.
            group.addTask { _ = try? await body.collect(upTo: 16 << 10) }
            // The sleep fails only if the task is canceled.
            group.addTask { try? await Task.sleep(for: .seconds(1)) }
            await group.next()
            group.cancelAll()
        }
    }
}

extension DeliveryAnswer {
    /// Returns the meaning of the status of an answer.
    init(status: Int, asked: Duration? = nil) {
        switch status {
        case 200..<300: self = .taken
        // The secret of a receiver may be changing, or the receiver itself may be replaced.
        case 401, 403, 404, 405, 408, 409, 425, 429, 500...: self = .busy("It answered \(status).", after: asked)
        case 410: self = .gone("It answered 410: it wants no messages any more.")
        case 300..<400: self = .refused("It answered \(status). Redirects are not followed: configure the address that it leads to.")
        default: self = .refused("It answered \(status).")
        }
    }
}
