import AsyncHTTPClient
import ComposeModel
public import ComposeStore
import Foundation
public import HTTPEnvironment
public import Logging
import NIOCore
import NIOHTTP1
public import Postgres
public import ServiceLifecycle

/// An event publisher reports every change of state as `{"event": "state-changed", "compose": {…}}`.
/// Each change is delivered at least once, and the changes of one compose are delivered in order.
///
/// Every change goes to the log, and by POST to each configured address. An address that does not
/// answer with a 2xx status holds up the outbox until it does. Events are late then, but never lost.
public struct EventPublisher: Service {
    let store: ComposeStore
    let configuration: WorkerConfiguration
    let listener: PostgresListener
    let channel: String
    let webhooks: [String]
    let httpClient: OutboundClient
    let logger: Logger

    private static let batch = 100
    private static let timeout = TimeAmount.seconds(10)
    /// The length of a publisher's turn. If half of the turn has passed, it is renewed before the next
    /// delivery. So a delivery to one address ends before the turn does.
    private static let turn = Duration.seconds(20)

    public init(
        store: ComposeStore, configuration: WorkerConfiguration, listener: PostgresListener, channel: String, webhooks: [String],
        httpClient: OutboundClient, logger: Logger
    ) {
        self.store = store
        self.configuration = configuration
        self.listener = listener
        self.channel = channel
        self.webhooks = webhooks
        self.httpClient = httpClient
        self.logger = logger
    }

    public func run() async throws {
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let notifications = listener.notifications(on: channel)
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask {
                    for await _ in notifications { wake.yield() }
                }
                group.addTask {
                    await periodically(every: configuration.pollInterval) { wake.yield() }
                }
                for await _ in wakes { await publishAll() }
                group.cancelAll()
            }
        }
    }

    private func publishAll() async {
        do {
            while try await store.publish(limit: Self.batch, turn: Self.turn, deliver: deliver) == Self.batch {}
        } catch is CancellationError {
            return
        } catch {
            logger.error("could not publish events", metadata: ["error": "\(error)"])
        }
    }

    /// Delivers a change of state to all addresses.
    ///
    /// - Returns: Whether every address took the change.
    @Sendable private func deliver(_ change: StateChange) async -> Bool {
        let compose = change.compose
        for webhook in webhooks {
            do {
                try await post(change, to: webhook)
            } catch {
                logger.warning(
                    "an address for events does not take them; they wait",
                    metadata: ["compose": "\(compose.id)", "error": "\(error)", "address": "\(webhook)"])
                return false
            }
        }
        logger.info("state changed", metadata: ["compose": "\(compose.id)", "state": "\(compose.state.name)"])
        return true
    }

    private func post(_ change: StateChange, to webhook: String) async throws {
        let targetURL = configuration.targets[change.compose.request.targetDir]?.url ?? ""
        var request = HTTPClientRequest(url: webhook)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        let message = StateChangedMessage(compose: ComposeDocument(change.compose, targetURL: targetURL))
        request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(message)))
        let response = try await httpClient.execute(request, timeout: Self.timeout)
        guard (200..<300).contains(response.status.code) else { throw WebhookRefusal(status: Int(response.status.code)) }
    }
}

/// A state-changed message is the message of an event, as the HTTP contract defines it.
struct StateChangedMessage: Encodable {
    var event = "state-changed"
    let compose: ComposeDocument
}

struct WebhookRefusal: Error, CustomStringConvertible {
    let status: Int
    var description: String { "it answered \(status)" }
}
