import ComposeModel
public import ComposeStore
import Foundation
public import HTTPEnvironment
import ImageModel
public import Logging
public import Postgres
import Retries
public import ServiceLifecycle

/// An event delivery serves the subscribers: the log, and each webhook. Each has a cursor of its own,
/// so one that does not answer delays no other.
///
/// Each event is delivered at least once, and the events of one object in order. The message of a
/// transition is `{"event": "state-changed", "compose": {…}}`, or with a `build` instead of a compose.
/// The message of a token that expires soon is `{"event": "token-expiring", "token": {…}}`.
public struct EventDelivery: Service {
    let store: ComposeStore
    let configuration: WorkerConfiguration
    let listener: PostgresListener
    let channel: String
    let webhooks: [Webhook]
    let httpClient: OutboundClient
    let logger: Logger

    /// The name of the subscriber that writes events to the log.
    static let log = "log"
    /// The length of a turn. Deliveries begin in its first half only, so the last of them ends before the
    /// turn does.
    private static let turn = (Webhook.timeout + .seconds(5)) * 2
    /// The number of objects whose events are delivered to one webhook side by side.
    private static let lanes = 4
    /// How often a webhook may refuse an event that it might take later.
    static let mostRefusals = 20
    /// The pauses after failed deliveries.
    private static let backoff = Backoff(first: .seconds(1), longest: .seconds(300))
    /// The longest pause that a webhook can ask for.
    private static let longestAskedPause = Duration.seconds(3600)

    public init(
        store: ComposeStore, configuration: WorkerConfiguration, listener: PostgresListener, channel: String, webhooks: [Webhook],
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
        let names = [Self.log] + webhooks.map(\.name)
        await withDiscardingTaskGroup { group in
            group.addTask { await periodically(every: .seconds(30), firstAfter: configuration.pollInterval) { await register(names) } }
            await register(names)
            group.addTask {
                await serve(Self.log) { turn in
                    for event in turn.events { note(event) }
                    var report = DeliveryReport()
                    report.done = Set(turn.events.map(\.position))
                    report.taken = turn.events.count
                    return report
                }
            }
            for webhook in webhooks {
                group.addTask { await serve(webhook.name) { await deliver($0, to: webhook) } }
            }
        }
    }

    private func register(_ names: [String]) async {
        do {
            try await store.registerSubscribers(names)
        } catch {
            logger.warning("could not register the subscribers of events", metadata: ["error": "\(error)"])
        }
    }

    /// Serves one subscriber until the shutdown.
    private func serve(_ name: String, _ deliver: @escaping @Sendable (DeliveryTurn) async -> DeliveryReport) async {
        await repeatedly(
            after: listener.notifications(on: channel), orEvery: configuration.pollInterval, if: \.mayBringEvents
        ) {
            do {
                while let turn = try await store.takeDeliveryTurn(to: name, present: configuration.presence, for: Self.turn) {
                    let report = await deliver(turn)
                    try await store.end(turn, with: report)
                    try Task.checkCancellation()
                    if let failure = report.failure {
                        // A longer rest ends with one of the regular looks.
                        guard failure.pause < configuration.pollInterval else { return }
                        try await Task.sleep(for: failure.pause + .milliseconds(5))
                    } else if report.end != nil {
                        return
                    }
                }
            } catch is CancellationError {
                return
            } catch {
                logger.error("could not deliver events", metadata: ["subscriber": "\(name)", "error": "\(error)"])
            }
        }
    }

    // MARK: The log

    private func note(_ event: StoredEvent) {
        switch event.subject {
        case .compose(let compose):
            logger.info("state changed", metadata: ["compose": "\(compose.id)", "state": "\(compose.state.name)"])
        case .build(let build):
            logger.info("state changed", metadata: ["build": "\(build.id)", "state": "\(build.state.name)"])
        case .token(let token):
            let document = TokenDocument(token)
            logger.notice(
                "an API token expires soon",
                metadata: [
                    "token": "\(document.id)", "owner": "\(document.owner)", "note": "\(document.note)",
                    "end": "\(document.timeToExpire ?? "")",
                ])
        }
    }

    // MARK: Webhooks

    /// Delivers the dead letters that are sent again.
    ///
    /// A letter that is refused again stays one, even if the webhook might take it later. Otherwise an
    /// event that a webhook cannot process would hold up all others. A webhook that asks for a pause gets
    /// one.
    private func deliverReplays(of turn: DeliveryTurn, begun: ContinuousClock.Instant, to webhook: Webhook) async -> DeliveryReport {
        var report = DeliveryReport()
        for replay in turn.replays where report.failure == nil && ContinuousClock.now - begun < Self.turn / 2 {
            switch await post(replay.event, to: webhook) {
            case .taken?, nil: report.replayed.insert(replay.letter)
            case .busy(let problem, let asked?)?: report.failure = failure(problem, turn, asked: asked, position: nil)
            case .refused(let problem)?, .gone(let problem)?, .busy(let problem, nil)?: report.stillDead[replay.letter] = problem
            case .unreachable(let problem)?: report.failure = failure(problem, turn, position: nil)
            case .canceled?: return report
            }
        }
        return report
    }

    /// Delivers the events of a turn. Each lane has the events of some objects, in order.
    private func deliver(_ turn: DeliveryTurn, to webhook: Webhook) async -> DeliveryReport {
        let begun = ContinuousClock.now
        var report = await deliverReplays(of: turn, begun: begun, to: webhook)
        if report.failure != nil || Task.isCancelled { return logged(report, turn, webhook) }
        report.done = Set(turn.events.filter { !webhook.filter.matches($0) }.map(\.position))
        var objects: [[StoredEvent]] = []
        var places: [StoredEvent.Object: Int] = [:]
        for event in turn.events where webhook.filter.matches(event) {
            if let place = places[event.object] {
                objects[place].append(event)
            } else {
                places[event.object] = objects.count
                objects.append([event])
            }
        }
        await withTaskGroup(of: (events: ArraySlice<StoredEvent>, answer: WebhookAnswer?).self) { group in
            var waiting = objects[...]
            var open = 0
            func begin(_ events: ArraySlice<StoredEvent>) {
                guard let event = events.first else { return }
                open += 1
                group.addTask { (events, await post(event, to: webhook)) }
            }
            /// Whether no more deliveries begin in this turn.
            func isOver() -> Bool {
                report.failure != nil || report.end != nil || Task.isCancelled || ContinuousClock.now - begun > Self.turn / 2
            }
            while true {
                while !isOver(), open < Self.lanes, let next = waiting.popFirst() { begin(next[...]) }
                guard let (events, answer) = await group.next() else { break }
                open -= 1
                if note(answer, to: events[events.startIndex], turn, in: &report), !isOver() { begin(events.dropFirst()) }
            }
        }
        return logged(report, turn, webhook)
    }

    /// Records the answer to an event.
    ///
    /// - Returns: Whether the next event of the same object can be delivered.
    private func note(_ answer: WebhookAnswer?, to event: StoredEvent, _ turn: DeliveryTurn, in report: inout DeliveryReport) -> Bool {
        switch answer {
        case .taken?, nil:
            report.done.insert(event.position)
            report.taken += 1
            return true
        case .refused(let problem)?:
            report.dead[event.position] = (problem, 1)
            return true
        case .busy(let problem, let asked)?:
            let times = turn.refused?.position == event.position ? turn.refused?.times ?? 0 : 0
            if times + 1 >= Self.mostRefusals {
                report.dead[event.position] = (problem, times + 1)
                return true
            }
            // Of several refused events, the first one counts, so that it becomes a dead letter in the end.
            if report.failure?.position ?? .max > event.position {
                report.failure = failure(problem, turn, asked: asked, position: event.position)
            }
            return false
        case .unreachable(let problem)?:
            report.failure = report.failure ?? failure(problem, turn, position: nil)
            return false
        case .gone(let problem)?:
            report.end = problem
            return false
        case .canceled?:
            return false
        }
    }

    private func failure(
        _ problem: String, _ turn: DeliveryTurn, asked: Duration? = nil, position: Int?
    ) -> DeliveryReport.Failure {
        let pause = Self.backoff.pause(after: turn.failures + 1)
        return .init(
            problem: problem, pause: max(pause, min(asked ?? .zero, Self.longestAskedPause)), position: position)
    }

    private func logged(_ report: DeliveryReport, _ turn: DeliveryTurn, _ webhook: Webhook) -> DeliveryReport {
        let name: Logger.Metadata = ["subscriber": "\(webhook.name)"]
        for (_, dead) in report.dead {
            logger.error("a subscriber refused an event for good", metadata: name.merging(["problem": "\(dead.problem)"]) { $1 })
        }
        if let end = report.end {
            logger.error("the deliveries to a subscriber are paused", metadata: name.merging(["problem": "\(end)"]) { $1 })
        } else if let failure = report.failure {
            logger.warning(
                "a subscriber does not take events; they wait",
                metadata: name.merging(["problem": "\(failure.problem)", "pause": "\(failure.pause)"]) { $1 })
        }
        return report
    }

    /// - Returns: `nil` if the event has no message, because its object is gone.
    private func post(_ event: StoredEvent, to webhook: Webhook) async -> WebhookAnswer? {
        do {
            let message = try await store.message(of: event) { configuration.targets[$0]?.url ?? "" }
            guard let message else { return nil }
            return await webhook.post(try JSONEncoder().encode(message), event: event.id, by: httpClient)
        } catch is CancellationError {
            return .canceled
        } catch {
            logger.error(
                "could not make the message of an event",
                metadata: ["position": "\(event.position)", "error": "\(String(reflecting: error))"])
            return .unreachable("The worker could not make the message. Its log says why.")
        }
    }
}
