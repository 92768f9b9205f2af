public import BackgroundWork
import ComposeModel
public import ComposeStore
import Foundation
public import Logging
public import Postgres
import Retries
public import ServiceLifecycle

/// An event delivery serves subscribers: the receivers of one process, and its log. Each has its own
/// cursor, so one that does not answer delays no other.
///
/// Each event is delivered at least once, and the events of one object in order. The message of a
/// transition is `{"event": "state-changed", "compose": {…}}`, or with a `build` instead of a compose.
/// The message of a token that expires soon is `{"event": "token-expiring", "token": {…}}`.
public struct EventDelivery: Service {
    /// The longest time in which a receiver answers.
    public static let patience = Duration.seconds(10)
    /// The length of a turn. Deliveries begin in its first half only, so the last of them ends before the
    /// turn does.
    private static let turn = (patience + .seconds(5)) * 2
    /// How often a receiver may refuse an event that it might take later.
    static let mostRefusals = 20
    /// The pauses after failed deliveries.
    private static let backoff = Backoff(first: .seconds(1), longest: .seconds(300))
    /// The longest pause that a receiver can ask for.
    private static let longestAskedPause = Duration.seconds(3600)

    let store: ComposeStore
    let listener: PostgresListener
    let channel: String
    let presence: WorkerPresence?
    let pollInterval: Duration
    let log: EventLog?
    let receivers: [any EventReceiver]
    let targetURL: @Sendable (String) -> String
    let logger: Logger

    /// - Parameters:
    ///   - channel: The channel of the listener on which positions of events are notified.
    ///   - presence: The presence of the process. If it is lost, others take its turns soon.
    ///   - pollInterval: The interval at which it looks for events without a notification.
    ///   - log: The log that gets all events. `nil` if another process writes it.
    ///   - targetURL: Returns the URL of a target directory by its name.
    public init(
        store: ComposeStore, listener: PostgresListener, channel: String, presence: WorkerPresence?,
        pollInterval: Duration = .seconds(5), log: EventLog?, receivers: [any EventReceiver],
        targetURL: @escaping @Sendable (String) -> String, logger: Logger
    ) {
        self.store = store
        self.listener = listener
        self.channel = channel
        self.presence = presence
        self.pollInterval = pollInterval
        self.log = log
        self.receivers = receivers
        self.targetURL = targetURL
        self.logger = logger
    }

    public func run() async throws {
        let names = (log == nil ? [] : [EventLog.name]) + receivers.map(\.name)
        await withDiscardingTaskGroup { group in
            group.addTask { await periodically(every: .seconds(30), firstAfter: pollInterval) { await register(names) } }
            await register(names)
            if let log {
                group.addTask {
                    await serve(EventLog.name) { turn in
                        for event in turn.events { log.write(event) }
                        var report = DeliveryReport()
                        report.done = Set(turn.events.map(\.position))
                        report.taken = turn.events.count
                        return report
                    }
                }
            }
            for receiver in receivers {
                group.addTask {
                    await serve(receiver.name) { await deliver($0, to: receiver) }
                    await receiver.close()
                }
            }
        }
    }

    private func register(_ names: [String]) async {
        do {
            try await store.registerSubscribers(names)
        } catch {
            logger.workFailed("could not register the subscribers of events", error, level: .warning)
        }
    }

    /// Serves one subscriber until the shutdown.
    private func serve(_ name: String, _ deliver: @escaping @Sendable (DeliveryTurn) async -> DeliveryReport) async {
        await repeatedly(after: listener.notifications(on: channel, where: \.mayBringEvents), orEvery: pollInterval) {
            do {
                while let turn = try await store.takeDeliveryTurn(to: name, present: presence, for: Self.turn) {
                    let report = await deliver(turn)
                    try await store.end(turn, with: report)
                    try Task.checkCancellation()
                    if let failure = report.failure {
                        // A longer rest ends with one of the regular looks.
                        guard failure.pause < pollInterval else { return }
                        // The database sees the rest begin a moment later than this process does. A look before its end
                        // would find no turn.
                        try await Task.sleep(for: failure.pause + .milliseconds(5))
                    } else if report.end != nil {
                        return
                    } else if !turn.isFull, report.done.count == turn.events.count,
                        report.replayed.count + report.stillDead.count == turn.replays.count
                    {
                        // Later events are notified.
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

    // MARK: One turn

    /// Delivers the dead letters that are sent again.
    ///
    /// A letter that is refused again stays one, even if the receiver might take it later. Otherwise an
    /// event that a receiver cannot process would hold up all others. A receiver that asks for a pause gets
    /// one.
    private func deliverReplays(
        of turn: DeliveryTurn, begun: ContinuousClock.Instant, to receiver: any EventReceiver
    ) async -> DeliveryReport {
        var report = DeliveryReport()
        for replay in turn.replays where report.failure == nil && ContinuousClock.now - begun < Self.turn / 2 {
            switch await send([replay.event], to: receiver)[0] {
            case .taken: report.replayed.insert(replay.letter)
            case .busy(let problem, let asked?): report.failure = failure(problem, turn, after: report, asked: asked, position: nil)
            case .refused(let problem), .gone(let problem), .busy(let problem, nil): report.stillDead[replay.letter] = problem
            case .unreachable(let problem): report.failure = failure(problem, turn, after: report, position: nil)
            case .canceled: return report
            }
        }
        return report
    }

    /// Delivers the events of a turn. Each line has events that are sent in order.
    private func deliver(_ turn: DeliveryTurn, to receiver: any EventReceiver) async -> DeliveryReport {
        let begun = ContinuousClock.now
        var report = await deliverReplays(of: turn, begun: begun, to: receiver)
        if report.failure != nil || Task.isCancelled { return logged(report, turn, receiver) }
        let chosen = turn.events.filter(receiver.filter.matches)
        report.done = Set(turn.events.map(\.position)).subtracting(chosen.map(\.position))
        await withTaskGroup(of: (line: ArraySlice<StoredEvent>, answers: [DeliveryAnswer]).self) { group in
            var waiting = lines(of: chosen, for: receiver)[...]
            var open = 0
            func begin(_ line: ArraySlice<StoredEvent>) {
                guard !line.isEmpty else { return }
                open += 1
                group.addTask { (line, await send(Array(line.prefix(receiver.mostAtOnce)), to: receiver)) }
            }
            /// Whether no more deliveries begin in this turn.
            func isOver() -> Bool {
                report.failure != nil || report.end != nil || Task.isCancelled || ContinuousClock.now - begun > Self.turn / 2
            }
            while true {
                while !isOver(), open < receiver.lanes, let next = waiting.popFirst() { begin(next) }
                guard let (line, answers) = await group.next() else { break }
                open -= 1
                var held: Set<StoredEvent.Object> = []
                for (event, answer) in zip(line, answers) where !held.contains(event.object) {
                    // Later events of the object are sent again after this one, so that their order is kept.
                    if !note(answer, to: event, turn, in: &report) { held.insert(event.object) }
                }
                if held.isEmpty, !isOver() { begin(line.dropFirst(answers.count)) }
            }
        }
        return logged(report, turn, receiver)
    }

    /// Returns the lines in which events are sent: one for each object, or one for all.
    private func lines(of events: [StoredEvent], for receiver: any EventReceiver) -> [ArraySlice<StoredEvent>] {
        guard receiver.lanes > 1 else { return [events[...]] }
        var lines: [ArraySlice<StoredEvent>] = []
        var places: [StoredEvent.Object: Int] = [:]
        for event in events {
            if let place = places[event.object] {
                lines[place].append(event)
            } else {
                places[event.object] = lines.count
                lines.append([event])
            }
        }
        return lines
    }

    /// Records the answer to an event.
    ///
    /// - Returns: Whether the next event of the same object can be delivered.
    private func note(_ answer: DeliveryAnswer, to event: StoredEvent, _ turn: DeliveryTurn, in report: inout DeliveryReport) -> Bool {
        switch answer {
        case .taken:
            report.done.insert(event.position)
            report.taken += 1
            return true
        case .refused(let problem):
            report.dead[event.position] = (problem, 1)
            return true
        case .busy(let problem, let asked):
            let times = turn.refused?.position == event.position ? turn.refused?.times ?? 0 : 0
            if times + 1 >= Self.mostRefusals {
                report.dead[event.position] = (problem, times + 1)
                return true
            }
            // Of several refused events, the first one counts, so that it becomes a dead letter in the end.
            if report.failure?.position ?? .max > event.position {
                report.failure = failure(problem, turn, after: report, asked: asked, position: event.position)
            }
            return false
        case .unreachable(let problem):
            report.failure = report.failure ?? failure(problem, turn, after: report, position: nil)
            return false
        case .gone(let problem):
            report.end = problem
            return false
        case .canceled:
            return false
        }
    }

    private func failure(
        _ problem: String, _ turn: DeliveryTurn, after report: DeliveryReport, asked: Duration? = nil, position: Int?
    ) -> DeliveryReport.Failure {
        let pause = Self.backoff.pause(after: turn.failures(afterTaking: report.taken, refusing: position))
        return .init(
            problem: problem, pause: max(pause, min(asked ?? .zero, Self.longestAskedPause)), position: position)
    }

    private func logged(_ report: DeliveryReport, _ turn: DeliveryTurn, _ receiver: any EventReceiver) -> DeliveryReport {
        let name: Logger.Metadata = ["subscriber": "\(receiver.name)"]
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

    // MARK: Messages

    /// An event is either ready to be sent, or it has its answer already.
    private enum Prepared {
        case message(OutgoingEvent)
        case answer(DeliveryAnswer)
    }

    /// Sends events to a receiver.
    ///
    /// - Returns: One answer for each event. An event whose object is gone counts as taken. An event
    ///   without a message for lack of a database ends the series.
    private func send(_ events: [StoredEvent], to receiver: any EventReceiver) async -> [DeliveryAnswer] {
        var prepared: [Prepared] = []
        for event in events { prepared.append(await prepare(event)) }
        let messages = prepared.compactMap { if case .message(let message) = $0 { message } else { nil } }
        var answers = messages.isEmpty ? [] : await receiver.send(messages)[...]
        return prepared.map { item in
            switch item {
            case .message: answers.popFirst() ?? .unreachable("It gave no answer.")
            case .answer(let answer): answer
            }
        }
    }

    private func prepare(_ event: StoredEvent) async -> Prepared {
        if case .unreadable(_, let problem) = event.subject { return .answer(.refused(problem)) }
        do {
            guard let message = try await store.message(of: event, targetURL: targetURL) else { return .answer(.taken) }
            // A message that is sent again has the same bytes.
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return .message(OutgoingEvent(id: event.id, name: message.event, object: event.object, body: try encoder.encode(message)))
        } catch is CancellationError {
            return .answer(.canceled)
        } catch {
            logger.error(
                "could not make the message of an event",
                metadata: ["position": "\(event.position)", "error": "\(String(reflecting: error))"])
            return .answer(.unreachable("The message could not be made. The log says why."))
        }
    }
}
