/// What a reader of a channel is told.
public enum PostgresNotification: Sendable, Equatable {
    /// From now on nothing is missed, but before this something may have been: look at once.
    case reconnected
    /// Somebody said `NOTIFY`.
    case notified(payload: String)
}
