import ComposeModel
import Postgres

/// What schema.sql's trigger says on the channel when a compose changes its state.
struct StateNotification: Hashable, Sendable {
    let state: ComposeState
    let compose: Int

    /// `nil` for what is no such text, as when the listener was connected anew: then anything may have happened.
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
