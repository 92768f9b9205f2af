import ComposeModel
import ComposeStore
import Postgres

/// A state notification is the message that a trigger of schema.sql sends on the channel when a piece
/// of work changes its state. Examples: `0 12`, for compose 12 in the state `wait`, and `step 4 7`,
/// for step 7 in the state `failed`.
struct StateNotification: Hashable, Sendable {
    let queue: WorkQueue
    /// The state. Those of steps are a part of those of composes.
    let state: ComposeState
    let id: Int

    init(queue: WorkQueue, state: ComposeState, id: Int) {
        self.queue = queue
        self.state = state
        self.id = id
    }

    /// Returns `nil` for every other notification, for example after the listener has reconnected. In that
    /// case anything may have happened.
    init?(_ notification: PostgresNotification) {
        guard case .notified(let payload) = notification else { return nil }
        let words = payload.split(separator: " ")
        let isStep = words.first == "step"
        guard words.count == (isStep ? 3 : 2), let state = Int(words[words.count - 2]).flatMap(ComposeState.init(rawValue:)),
            let id = Int(words[words.count - 1])
        else { return nil }
        queue = isStep ? .buildSteps : .composes
        self.state = state
        self.id = id
    }

    /// Returns whether work may wait in a queue after a notification.
    static func mayBringWork(_ notification: PostgresNotification, to queue: WorkQueue) -> Bool {
        guard notification != .reconnected else { return true }
        return StateNotification(notification).map { $0.queue == queue && $0.state == .wait } ?? false
    }
}
