import ComposeModel
public import ComposeStore
public import Foundation

/// An event receiver is what events are sent to: a webhook, or a broker with an exchange or a topic.
///
/// It only transports. ``EventDelivery`` chooses the events, and keeps the cursor, the pauses and the
/// dead letters of every receiver.
public protocol EventReceiver: Sendable {
    /// The name of the subscriber. It has no secrets, because admins see it.
    var name: String { get }
    var filter: EventFilter { get }
    /// The number of objects whose events are sent side by side. With 1, all events are sent in the order
    /// of their positions.
    var lanes: Int { get }
    /// The maximum number of events in one call of ``send(_:)``.
    var mostAtOnce: Int { get }

    /// Sends messages, which the receiver gets in this order. The call ends within
    /// ``EventDelivery/patience``.
    ///
    /// - Returns: One answer for each message.
    func send(_ messages: [OutgoingEvent]) async -> [DeliveryAnswer]
    /// Closes what the receiver keeps open between two calls.
    func close() async
}

extension EventReceiver {
    public func close() async {}
}

/// An outgoing event is an event with its message, as every transport sends it.
public struct OutgoingEvent: Sendable {
    /// The number of the event. It is the same in each attempt, so a receiver can recognize a message that
    /// it has.
    public let id: Int
    public let name: EventMessage.Name
    public let object: StoredEvent.Object
    /// The message as JSON. It is that of the original ODCS.
    public let body: Data

    public init(id: Int, name: EventMessage.Name, object: StoredEvent.Object, body: Data) {
        self.id = id
        self.name = name
        self.object = object
        self.body = body
    }

    /// The id of the message. Example: `odcs-57`.
    public var messageID: String { "odcs-\(id)" }
}

/// The answer of a receiver to a message.
public enum DeliveryAnswer: Hashable, Sendable {
    case taken
    /// The message will never be taken.
    case refused(String)
    /// The receiver may take the message later, perhaps after the time that it asked for.
    case busy(String, after: Duration?)
    /// The receiver did not answer.
    case unreachable(String)
    /// The receiver wants no messages any more.
    case gone(String)
    /// The process stops, so it does not know the answer.
    case canceled
}
