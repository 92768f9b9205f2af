import ComposeModel
import Postgres

/// A state notification is the message that the trigger of schema.sql sends on the channel when a
/// compose changes its state. Example: `0 12`, for compose 12 in the state `wait`.
struct StateNotification: Hashable, Sendable {
    let state: ComposeState
    let compose: Int

    /// Returns `nil` for every other notification, for example after the listener has reconnected. In that
    /// case anything may have happened.
    init?(_ notification: PostgresNotification) {
        guard case .notified(let payload) = notification else { return nil }
        let words = payload.split(separator: " ")
        guard words.count == 2, let state = Int(words[0]).flatMap(ComposeState.init(rawValue:)), let compose = Int(words[1]) else {
            return nil
        }
        self.state = state
        self.compose = compose
    }
}
