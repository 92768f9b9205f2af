import AsyncHTTPClient
import ComposeModel
public import ComposeStore
import Foundation
public import HTTPEnvironment
import ImageModel
public import Logging
import NIOCore
import NIOHTTP1
public import Postgres
public import ServiceLifecycle

/// An event publisher reports every change of state as `{"event": "state-changed", "compose": {…}}`, or
/// with a `build` instead of a compose. It reports an API token that expires soon as
/// `{"event": "token-expiring", "token": {…}}`. Each event is delivered at least once. The changes of
/// one compose, or of one build, are delivered in order.
///
/// Every event goes to the log, and by POST to each configured address. An address that does not
/// answer with a 2xx status holds up the outbox until it does. Events are late then, but never lost.
public struct EventPublisher: Service {
    let store: ComposeStore
    let configuration: WorkerConfiguration
    let listener: PostgresListener
    let channel: String
    let webhooks: [String]
    /// The addresses for tokens. They are separate, because only the admins and the owner may know of a
    /// token.
    let tokenWebhooks: [String]
    let httpClient: OutboundClient
    let logger: Logger

    private static let batch = 100
    /// The time that an event waits for others if there is no address. The log gets several events at once
    /// then, and the transitions of a short compose do not wait for statements about its events.
    private static let logDelay = Duration.milliseconds(200)
    /// The longest time for one address.
    private static let timeout = Duration.seconds(10)
    /// The time of a delivery besides the waiting for addresses.
    private static let margin = Duration.seconds(5)

    public init(
        store: ComposeStore, configuration: WorkerConfiguration, listener: PostgresListener, channel: String, webhooks: [String],
        tokenWebhooks: [String], httpClient: OutboundClient, logger: Logger
    ) {
        self.store = store
        self.configuration = configuration
        self.listener = listener
        self.channel = channel
        self.webhooks = webhooks
        self.tokenWebhooks = tokenWebhooks
        self.httpClient = httpClient
        self.logger = logger
    }

    /// Returns the length of a publisher's turn. If half of the turn has passed, it is renewed before the
    /// next delivery. So a delivery to all addresses ends before the turn does, even if each of them takes
    /// its longest time.
    static func turn(addresses: Int) -> Duration { (timeout * addresses + margin) * 2 }

    public func run() async throws {
        let turn = Self.turn(addresses: webhooks.count)
        let pause = webhooks.isEmpty ? Self.logDelay : .zero
        async let composes: Void = publish(after: listener.notifications(on: channel), if: \.mayChangeCompose, pause: pause) {
            try await store.publish(limit: Self.batch, turn: turn, deliver: deliver)
        }
        async let builds: Void = publish(after: listener.notifications(on: channel), if: \.mayChangeBuild, pause: pause) {
            try await store.publishBuilds(limit: Self.batch, turn: turn, deliver: deliverBuild)
        }
        let tokenTurn = Self.turn(addresses: tokenWebhooks.count)
        async let tokens: Void = publish(after: listener.notifications(on: channel), if: \.mayConcernToken) {
            try await store.publishTokens(limit: Self.batch, turn: tokenTurn, deliver: deliverToken)
        }
        _ = await (composes, builds, tokens)
    }

    /// Publishes one kind of events until the shutdown.
    ///
    /// - Parameters:
    ///   - isWake: Returns whether there may be events of this kind after a notification.
    ///   - pause: The time between a notification and the look for events.
    ///   - batch: Publishes the oldest events, and returns their number.
    private func publish(
        after notifications: AsyncStream<PostgresNotification>, if isWake: @escaping @Sendable (PostgresNotification) -> Bool,
        pause: Duration = .zero, _ batch: @escaping @Sendable () async throws -> Int
    ) async {
        await repeatedly(after: notifications, orEvery: configuration.pollInterval, if: isWake) {
            do {
                // Only time brings other events.
                if pause > .zero { try await Task.sleep(for: pause) }
                while try await batch() == Self.batch {}
            } catch is CancellationError {
                return
            } catch {
                logger.error("could not publish events", metadata: ["error": "\(error)"])
            }
        }
    }

    @Sendable private func deliver(_ change: StateChange) async -> Bool {
        let compose = change.compose
        let targetURL = configuration.targets[compose.request.targetDir]?.url ?? ""
        let message = EventMessage(event: .stateChanged, compose: ComposeDocument(compose, targetURL: targetURL))
        return await deliver(message, to: webhooks, about: ["compose": "\(compose.id)", "state": "\(compose.state.name)"])
    }

    @Sendable private func deliverBuild(_ change: BuildChange) async -> Bool {
        let build = change.build
        let subject: Logger.Metadata = ["build": "\(build.id)", "state": "\(build.state.name)"]
        do {
            guard let repository = try await store.repositories(of: [build.image])[build.image] else { return true }
            // A worker does not know the address of the frontend.
            let document = BuildDocument(build, repository: repository) { platform in
                "/api/1/builds/\(build.id)/log?platform=\(platform)"
            }
            return await deliver(EventMessage(event: .stateChanged, build: document), to: webhooks, about: subject)
        } catch {
            logger.warning("the image of a build could not be read", metadata: subject.merging(["error": "\(error)"]) { $1 })
            return false
        }
    }

    @Sendable private func deliverToken(_ event: ExpiringToken) async -> Bool {
        let document = TokenDocument(event.token)
        let subject: Logger.Metadata = [
            "token": "\(document.id)", "owner": "\(document.owner)", "note": "\(document.note)", "end": "\(document.timeToExpire ?? "")",
        ]
        return await deliver(EventMessage(event: .tokenExpiring, token: document), to: tokenWebhooks, about: subject)
    }

    /// Delivers an event to addresses.
    ///
    /// - Returns: Whether every address took the event.
    private func deliver(_ message: EventMessage, to addresses: [String], about subject: Logger.Metadata) async -> Bool {
        for webhook in addresses {
            do {
                try await post(message, to: webhook)
            } catch {
                logger.warning(
                    "an address for events does not take them; they wait",
                    metadata: subject.merging(["error": "\(error)", "address": "\(webhook)"]) { $1 })
                return false
            }
        }
        switch message.event {
        case .stateChanged: logger.info("state changed", metadata: subject)
        case .tokenExpiring: logger.notice("an API token expires soon", metadata: subject)
        }
        return true
    }

    private func post(_ message: EventMessage, to webhook: String) async throws {
        var request = HTTPClientRequest(url: webhook)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(message)))
        let response = try await httpClient.execute(request, timeout: TimeAmount(Self.timeout))
        guard (200..<300).contains(response.status.code) else { throw WebhookRefusal(status: Int(response.status.code)) }
    }
}

/// An event message is the message of an event, as the HTTP contract defines it. It has either a
/// compose, a build or a token.
struct EventMessage: Encodable {
    enum EventName: String, Encodable {
        case stateChanged = "state-changed"
        case tokenExpiring = "token-expiring"
    }

    var event: EventName
    var compose: ComposeDocument?
    var build: BuildDocument?
    var token: TokenDocument?
}

struct WebhookRefusal: Error, CustomStringConvertible {
    let status: Int
    var description: String { "it answered \(status)" }
}

extension PostgresNotification {
    /// Whether a compose may have changed its state. A trigger sends the state and the id, as in `2 17`.
    fileprivate var mayChangeCompose: Bool {
        guard case .notified(let payload) = self else { return true }
        return payload.first?.isNumber ?? true
    }

    /// Whether a build may have changed its state. A trigger sends a message such as `build 2 17`.
    fileprivate var mayChangeBuild: Bool {
        guard case .notified(let payload) = self else { return true }
        return payload.hasPrefix("build ")
    }

    /// Whether a token may have been announced. A message such as `token 4k7m2p9xz1` is sent then.
    fileprivate var mayConcernToken: Bool {
        guard case .notified(let payload) = self else { return true }
        return payload.hasPrefix("token ")
    }
}
