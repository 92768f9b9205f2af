import Foundation
import Testing

@testable import Brokers

/// What a publisher of RabbitMQ knows without a broker.
@Suite struct RabbitMQTests {
    @Test("a confirm is of one message or of all before it, and those of other series are ignored")
    func confirms() {
        var confirms = PublisherConfirms(first: 11, count: 5)
        confirms.note(10, isMultiple: true, isTaken: true)
        confirms.note(16, isMultiple: false, isTaken: true)
        #expect(confirms.answers.isEmpty)
        confirms.note(12, isMultiple: false, isTaken: false)
        #expect(confirms.answers == [1: false])
        confirms.note(14, isMultiple: true, isTaken: true)
        #expect(confirms.answers == [0: true, 1: false, 2: true, 3: true])
        #expect(!confirms.isComplete)
        confirms.note(15, isMultiple: false, isTaken: true)
        #expect(confirms.isComplete)
    }

    @Test("the id of a message is a UUID that follows from the event and the service")
    func ids() {
        // As uuid.uuid5(uuid.NAMESPACE_URL, …) of Python says.
        #expect(MessageUUID.text(of: "odcs-57", from: "http://a.example/composes") == "48acda90-bf49-5bfe-8a0a-fc54116844f3")
        #expect(
            MessageUUID.text(of: "odcs-57", from: "http://b.example/composes")
                != MessageUUID.text(of: "odcs-57", from: "http://a.example/composes"))
    }
}
