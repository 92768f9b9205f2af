import Deliveries

/// A connection to a broker. It is used by one thread, and closed with its last reference.
protocol BrokerConnection: AnyObject {
    /// Sends messages in this order, and waits for the broker's answer to each.
    func send(_ messages: [OutgoingEvent], until deadline: Deadline) -> SentMessages
}

/// The outcome of sending messages over one connection.
struct SentMessages {
    /// The answers that came, by the place of the message.
    var answers: [Int: DeliveryAnswer] = [:]
    /// Why there are no others. The connection cannot be used any more then.
    var problem: BrokerProblem?

    /// Returns an answer for each message.
    func filled(_ count: Int, with rest: DeliveryAnswer) -> [DeliveryAnswer] { (0..<count).map { answers[$0] ?? rest } }
}

/// A broker problem is the reason why messages could not be sent, as a sentence for the operator.
struct BrokerProblem: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
