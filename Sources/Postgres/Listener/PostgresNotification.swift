/// An element in the stream of a reader of a channel.
public enum PostgresNotification: Sendable, Equatable {
    /// The listener has connected. Notifications before this moment may have been missed, so the reader
    /// should look at the data at once. Later ones are not missed.
    case reconnected
    /// A session executed `NOTIFY` on the channel.
    case notified(payload: String)
}
