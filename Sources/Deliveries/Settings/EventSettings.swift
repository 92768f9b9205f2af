import ComposeStore

/// The event settings are the receivers of events and the limits of streams, as the operator configures
/// them.
public struct EventSettings: Hashable, Sendable {
    public var webhooks: [Webhook]
    public var brokers: [Broker]
    /// The number of days for which events and dead letters are kept.
    public var keepDays: Int
    /// The maximum number of streams and waiting requests of a frontend, and those of one caller.
    public var mostStreams: Int
    public var mostStreamsPerCaller: Int

    public init(webhooks: [Webhook], brokers: [Broker], keepDays: Int, mostStreams: Int, mostStreamsPerCaller: Int) {
        self.webhooks = webhooks
        self.brokers = brokers
        self.keepDays = keepDays
        self.mostStreams = mostStreams
        self.mostStreamsPerCaller = mostStreamsPerCaller
    }

    /// The names of all subscribers besides the log.
    public var names: [String] { webhooks.map(\.name) + brokers.map(\.name) }
    /// Whether one of them gets the events of API tokens.
    public var hasTokenReceivers: Bool {
        webhooks.contains { $0.filter.kinds.contains(.tokens) } || brokers.contains { $0.filter.kinds.contains(.tokens) }
    }
}
