import ComposeModel
import Foundation
import HTTPEnvironment
import Synchronization

/// The error of an attempt that gives its slot to another compose, because its source is silent.
/// Example of an origin: `http://a.example`.
struct GaveWay: Error {
    let origin: String
}

/// A slot keeper prevents composes of silent sources from holding all slots of a worker while other
/// composes wait.
///
/// If every slot waits for a source without progress, the compose that was requested last goes back to
/// the queue. The patience with that compose grows each time. So a source that is merely slow is read
/// in the end, and a source that never answers fails its compose.
///
/// A source that is silent for one compose counts as silent for all composes that wait for it.
final class SlotKeeper: Sendable {
    /// The time for which a source may be silent before its compose gives way. It doubles each time that
    /// the compose has given way.
    static let patience: Duration = .seconds(5)
    private static let mostDoublings = 5
    private static let mostRemembered = 10_000
    /// The time for which a compose rests after it gave way.
    static let rest: Duration = .seconds(10)
    /// The time after which a compose counts as silent because its source is silent for another compose.
    private static let shortestWait: Duration = .seconds(1)

    private struct Attempt {
        let compose: Int
        let waits: SourceWaits
        let giveWay: @Sendable (String) -> Void
    }

    private struct State {
        var attempts: [UUID: Attempt] = [:]
        /// How often each compose that is not complete has given way.
        var turns: [Int: Int] = [:]
    }

    private let slots: Int
    private let state = Mutex(State())

    init(slots: Int) {
        self.slots = slots
    }

    /// Runs `body` as an attempt that can be asked to give way.
    ///
    /// - Throws: ``GaveWay``, or the error that `body` throws.
    func hold(_ compose: Int, attempt: UUID, while body: @escaping @Sendable () async throws -> Void) async throws {
        let waits = SourceWaits()
        let (requests, request) = AsyncStream.makeStream(of: String.self, bufferingPolicy: .bufferingOldest(1))
        state.withLock {
            $0.attempts[attempt] = Attempt(compose: compose, waits: waits) { request.yield($0) }
        }
        defer { state.withLock { $0.attempts[attempt] = nil } }
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await SourceWaits.$current.withValue(waits) { try await body() } }
                group.addTask {
                    for await origin in requests { throw GaveWay(origin: origin) }
                    throw CancellationError()
                }
                defer { group.cancelAll() }
                try await group.next()
            }
        } catch let error as GaveWay {
            throw error
        } catch {
            state.withLock { $0.turns[compose] = nil }
            throw error
        }
        state.withLock { $0.turns[compose] = nil }
    }

    /// Asks an attempt to give way if all slots wait for silent sources.
    ///
    /// - Parameter othersWait: Returns whether a compose could run now. It is called only if all slots are
    ///   silent.
    func look(at now: ContinuousClock.Instant = .now, othersWait: () async -> Bool) async {
        guard silentAttempts(at: now).count >= slots, await othersWait() else { return }
        // Some attempts may have made progress meanwhile.
        let silent = silentAttempts(at: now)
        guard silent.count >= slots, let last = silent.max(by: { $0.attempt.compose < $1.attempt.compose }) else { return }
        if last.isByItself {
            state.withLock { state in
                // Composes that were canceled while they rested stay in the table. It is cleared when it is full.
                if state.turns.count >= Self.mostRemembered { state.turns = [:] }
                state.turns[last.attempt.compose, default: 0] += 1
            }
        }
        last.attempt.giveWay(last.origin)
    }

    private func silentAttempts(
        at now: ContinuousClock.Instant
    ) -> [(attempt: Attempt, origin: String, isByItself: Bool)] {
        let (attempts, turns) = state.withLock { (Array($0.attempts.values), $0.turns) }
        var silent: [(attempt: Attempt, origin: String, isByItself: Bool)] = []
        for attempt in attempts {
            let patience = Self.patience * (1 << min(turns[attempt.compose] ?? 0, Self.mostDoublings))
            if let origin = attempt.waits.silentOrigin(since: now - patience) { silent.append((attempt, origin, true)) }
        }
        let origins = Set(silent.map(\.origin))
        for attempt in attempts where !silent.contains(where: { $0.attempt.compose == attempt.compose }) {
            guard attempt.waits.silentOrigin(since: now - Self.shortestWait) != nil,
                let origin = attempt.waits.origins.intersection(origins).min()
            else { continue }
            silent.append((attempt, origin, false))
        }
        return silent
    }
}
