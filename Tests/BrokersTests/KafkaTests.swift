import CRdKafka
import ComposeStore
import Deliveries
import Foundation
import Logging
import Testing

@testable import Brokers

/// Events in a topic of Kafka, as other programs read them there.
@Suite(.timeLimit(.minutes(2))) struct KafkaTests {
    private static func receiver(_ brokers: [String], isEncrypted: Bool = false) -> BrokerReceiver {
        let topic = KafkaTopic(
            brokers: brokers, topic: "odcs.state.change", isEncrypted: isEncrypted, mechanism: "SCRAM-SHA-512", login: BrokerLogin())
        return BrokerReceiver(
            Broker(name: "kafka", filter: EventFilter(), kind: .kafka(topic)), origin: "http://odcs.example.org/composes",
            logger: Logger(label: "test"))
    }

    /// Events of some composes, with numbers that grow.
    private static func events(_ ids: ClosedRange<Int>, composes: Int = 7) -> [OutgoingEvent] {
        ids.map { id in
            OutgoingEvent(
                id: id, name: .stateChanged, object: .compose(id % composes), body: Data("{\"event\":\"state-changed\",\"id\":\(id)}".utf8))
        }
    }

    private static func sent(_ message: MockKafka.Message) -> Int {
        struct Body: Decodable { let id: Int }
        return (try? JSONDecoder().decode(Body.self, from: Data(message.payload.utf8)).id) ?? 0
    }

    @Test("kcat reads every event once, with its key and headers, and in order for each compose")
    func delivered() async throws {
        let kafka = MockKafka()
        let receiver = Self.receiver(kafka.brokers)
        for first in stride(from: 1, through: 401, by: 100) {
            #expect(await receiver.send(Self.events(first...first + 99)).allSatisfy { $0 == .taken })
        }
        let messages = try kafka.messages(of: "odcs.state.change")
        #expect(messages.map(Self.sent).sorted() == Array(1...500))
        for (key, ofCompose) in Dictionary(grouping: messages, by: \.key) {
            #expect(Set(ofCompose.map(\.partition)).count == 1, "\(key)")
            #expect(ofCompose.map(Self.sent) == ofCompose.map(Self.sent).sorted(), "\(key)")
        }
        let last = try #require(messages.first { Self.sent($0) == 500 })
        #expect(last.key == "compose 3")
        #expect(last.payload == "{\"event\":\"state-changed\",\"id\":500}")
        #expect(last.headers == ["odcs-event", "odcs-500", "odcs-type", "state-changed", "odcs-object", "compose 3"])
        await receiver.close()
    }

    @Test("a message that librdkafka sends again after an error is in the topic once")
    func idempotent() async throws {
        let kafka = MockKafka()
        let receiver = Self.receiver(kafka.brokers)
        kafka.failProduceRequests(
            RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS)
        #expect(await receiver.send(Self.events(1...100)).allSatisfy { $0 == .taken })
        #expect(try kafka.messages(of: "odcs.state.change").map(Self.sent).sorted() == Array(1...100))
        await receiver.close()
    }

    @Test("brokers that are away are reported, and take everything when they are back")
    func away() async throws {
        let kafka = MockKafka()
        let receiver = Self.receiver(kafka.brokers)
        #expect(await receiver.send(Self.events(1...10)) == Array(repeating: .taken, count: 10))
        kafka.setDown(true)
        let answers = await receiver.send(Self.events(11...20))
        guard case .unreachable(let problem) = answers[0] else {
            Issue.record("\(answers[0])")
            return
        }
        #expect(problem.hasPrefix("The brokers did not "), "\(problem)")
        kafka.setDown(false)
        #expect(await receiver.send(Self.events(11...20)) == Array(repeating: .taken, count: 10))
        #expect(try Set(kafka.messages(of: "odcs.state.change").map(Self.sent)) == Set(1...20))
        await receiver.close()
    }

    @Test("an address without a broker is explained")
    func nobody() async throws {
        // Nothing listens on the port of a socket that is bound and does not listen.
        let answers = await Self.receiver(["127.0.0.1:1"]).send(Self.events(1...1))
        guard case .unreachable(let problem) = answers[0] else {
            Issue.record("\(answers[0])")
            return
        }
        #expect(problem.contains("Connection refused"), "\(problem)")
    }
}
