public import ComposeStore
public import Deliveries
public import Foundation
public import Logging

/// A broker receiver sends events to a broker. It keeps one connection, whose calls block, on a
/// thread of its own.
public actor BrokerReceiver: EventReceiver {
    private let executor = BrokerThread()
    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    public nonisolated let name: String
    public nonisolated let filter: EventFilter
    /// Each broker gets all events in one line, because confirmations are worth waiting for
    /// together.
    public nonisolated var lanes: Int { 1 }
    public nonisolated var mostAtOnce: Int { 100 }

    private let connect: @Sendable (Deadline) throws(BrokerProblem) -> any BrokerConnection
    private var connection: (any BrokerConnection)?

    /// - Parameter origin: A text that differs from service to service, such as the URL of its composes. It
    ///   makes the ids of messages unique on a bus of many services.
    public init(_ broker: Broker, origin: String, logger: Logger) {
        name = broker.name
        filter = broker.filter
        switch broker.kind {
        case .rabbitMQ(let exchange):
            let log = UnroutedLog(broker.name, topic: exchange.topic, logger: logger)
            connect = { deadline throws(BrokerProblem) in
                try RabbitMQConnection(exchange, origin: origin, unrouted: log, until: deadline)
            }
        case .kafka(let topic): connect = { _ throws(BrokerProblem) in try KafkaProducer(topic) }
        case .amqp(let address): connect = { deadline throws(BrokerProblem) in try AMQPSender(address, until: deadline) }
        }
    }

    public func send(_ messages: [OutgoingEvent]) -> [DeliveryAnswer] {
        let deadline = Deadline(after: EventDelivery.patience)
        if let known = connection {
            let sent = known.send(messages, until: deadline)
            guard let problem = sent.problem else { return sent.filled(messages.count, with: .unreachable("It confirmed nothing.")) }
            connection = nil
            // A connection that was idle can have ended unnoticed, so a new one is tried at once.
            guard sent.answers.isEmpty, deadline.left != nil, !Task.isCancelled else { return answers(sent, problem, messages.count) }
        }
        do throws(BrokerProblem) {
            let new = try connect(deadline)
            let sent = new.send(messages, until: deadline)
            // The state of a connection with a problem is unknown.
            if sent.problem == nil { connection = new }
            return answers(sent, sent.problem, messages.count)
        } catch {
            return answers(SentMessages(), error, messages.count)
        }
    }

    /// Returns an answer for each message. Those that the broker said nothing about are sent again.
    private func answers(_ sent: SentMessages, _ problem: BrokerProblem?, _ count: Int) -> [DeliveryAnswer] {
        let rest = problem?.description ?? "It confirmed nothing."
        return sent.filled(count, with: Task.isCancelled ? .canceled : .unreachable(rest))
    }

    public func close() { connection = nil }
}
