import ComposeModel
import ComposeStore
import Deliveries
import Foundation
import ServiceConfiguration
import SystemPackage
import Testing
import Traces

@testable import odcs_server

/// The receivers of events in a configuration.
@Suite struct EventConfigurationTests {
    private static func configuration(_ text: String) throws -> ServerConfiguration {
        try ServerConfiguration(text, file: "odcs.yaml", directory: "/etc/odcs")
    }

    @Test("each address is a subscriber that is called by it, and a named one has its own choice of events")
    func subscribers() throws {
        let events = try Self.configuration(
            """
            events:
              keep_days: 3
              webhooks: ["https://hooks.example.org/odcs"]
              token_webhooks: ["https://hooks.example.org/odcs"]
              subscribers:
                ci: {url: "https://ci.example.org/", events: [builds, tokens], states: [done, failed], owners: [osbs], source_types: [tag]}
            """
        ).events
        #expect(events.keepDays == 3 && events.hasTokenReceivers)
        #expect(events.webhooks.map(\.name) == ["https://hooks.example.org/odcs", "tokens https://hooks.example.org/odcs", "ci"])
        #expect(events.webhooks.map(\.filter.kinds) == [[.composes, .builds], [.tokens], [.builds, .tokens]])
        #expect(events.webhooks[2].filter.states == ["done", "failed"] && events.webhooks[2].filter.owners == ["osbs"])
        #expect(events.webhooks[2].filter.sourceTypes == [.tag])
        #expect(events.webhooks.allSatisfy { $0.secrets.isEmpty })
    }

    @Test(
        "a mistake is explained",
        arguments: [
            ("subscribers: {ci: {}}", "needs url, the address that events are posted to"),
            ("subscribers: {log: {url: \"https://a.example/\"}}", "cannot be a name. Use at most 60 letters, digits, - and _, and not log"),
            (
                "subscribers: {ci: {url: \"amqp://a.example/\"}}",
                "must be an address such as https://example.org/path/, not amqp://a.example/"
            ),
            ("subscribers: {ci: {url: \"https://a.example/\", events: [images]}}", "cannot have images"),
            ("subscribers: {ci: {url: \"https://a.example/\", states: [asleep]}}", "cannot have asleep"),
            ("secret_file: /nonexistent", "names a file that does not exist or cannot be read"),
            (
                "webhooks: [\"https://a.example/x\", \"https://a.example/x\"]",
                "has https://a.example/x twice. Give one of them another name in events.subscribers"
            ),
        ])
    func mistakes(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try Self.configuration("events: {\(text)}") }
        #expect(error?.message == message)
    }

    @Test("a secret file has one or two secrets, one on each line")
    func secrets() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "odcs-secret-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"
        func events(_ text: String) throws -> EventSettings {
            try Data(text.utf8).write(to: file)
            return try Self.configuration("events: {webhooks: [\"https://a.example/\"], secret_file: \"\(file.path)\"}").events
        }
        #expect(try events(secret).webhooks[0].secrets.count == 1)
        #expect(try events(secret + secret).webhooks[0].secrets.count == 2)
        for wrong in ["", secret + secret + secret, "geheim\n", secret + "geheim\n"] {
            let error = #expect(throws: ConfigurationError.self) { try events(wrong) }
            // The text of a secret is in no message.
            #expect(error?.message.contains("geheim") == false)
        }
    }

    @Test("a broker is a subscriber of its own kind")
    func brokers() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "odcs-password-\(UUID().uuidString)")
        try Data("geheim\n".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        let events = try Self.configuration(
            """
            events:
              subscribers:
                fedora: {kind: rabbitmq, url: "amqp://broker.example.org/%2Fpubsub", topic: a.b, mandatory: true, states: [done]}
                kafka: {kind: kafka, brokers: ["k1.example.org:9093"], topic: odcs, user: me, password_file: "\(file.path)"}
                umb: {kind: amqp, url: "amqps://[2001:db8::7]", address: "topic://VirtualTopic.odcs"}
                ci: {url: "https://ci.example.org/"}
            """
        ).events
        #expect(events.names.sorted() == ["ci", "fedora", "kafka", "umb"])
        let kinds = Dictionary(uniqueKeysWithValues: events.brokers.map { ($0.name, $0.kind) })
        #expect(
            kinds["fedora"]
                == .rabbitMQ(
                    RabbitMQExchange(
                        server: BrokerServer(host: "broker.example.org", port: 5672, isEncrypted: false), virtualHost: "/pubsub",
                        exchange: "amq.topic", topic: "a.b", isMandatory: true, login: BrokerLogin())))
        #expect(
            kinds["kafka"]
                == .kafka(
                    KafkaTopic(
                        brokers: ["k1.example.org:9093"], topic: "odcs", isEncrypted: true, mechanism: "SCRAM-SHA-512",
                        login: BrokerLogin(user: "me", passwordFile: FilePath(file.path)))))
        #expect(
            kinds["umb"]
                == .amqp(
                    AMQPAddress(
                        server: BrokerServer(host: "2001:db8::7", port: 5671, isEncrypted: true), address: "topic://VirtualTopic.odcs",
                        login: BrokerLogin())))
        #expect(events.brokers.first { $0.name == "fedora" }?.filter.states == ["done"])
    }

    @Test(
        "a mistake in a broker is explained",
        arguments: [
            ("{kind: nats}", "must be one of webhook, rabbitmq, kafka, amqp, not nats"),
            ("{kind: rabbitmq, url: \"amqp://a.example/\"}", "needs topic, the routing key of the messages"),
            (
                "{kind: rabbitmq, url: \"amqp://me:geheim@a.example/\", topic: a}",
                "must be an address such as amqps://broker.example.org/%2F, without a user, whose key is user"
            ),
            (
                "{kind: rabbitmq, url: \"amqp://a.example/a/b\", topic: a}",
                "must end with the name of the virtual host, in which %2F stands for /"
            ),
            ("{kind: rabbitmq, url: \"amqp://a.example\", topic: a, ca: /etc/hostname}", "has no effect without TLS"),
            ("{kind: rabbitmq, url: \"amqps://a.example\", topic: a, certificate: /etc/hostname}", "needs certificate and key together"),
            ("{kind: rabbitmq, url: \"amqps://a.example\", topic: a, user: me}", "needs user and password_file together"),
            ("{kind: kafka, topic: a}", "needs brokers, a list such as [k1.example.org:9093]"),
            ("{kind: kafka, brokers: [k1], topic: a}", "must be a list of hosts with ports such as k1.example.org:9093, not k1"),
            ("{kind: amqp, url: \"amqps://a.example/x\", address: a}", "must end with the host or the port"),
            ("{kind: amqp, url: \"amqps://a.example\"}", "needs address, the address of the messages at the broker"),
        ])
    func brokerMistakes(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try Self.configuration("events: {subscribers: {b: \(text)}}") }
        #expect(error?.message == message)
        #expect(error?.description.contains("geheim") == false)
    }

    @Test("traces have a ratio and a link with a place for the id")
    func tracing() throws {
        let tracing = try Self.configuration(
            "tracing: {endpoint: \"http://c.example:4318\", ratio: 0.1, link: \"https://t.example/{trace}\"}"
        ).tracing
        #expect(tracing.endpoint == "http://c.example:4318" && tracing.ratio == 0.1 && tracing.link == "https://t.example/{trace}")
        for (text, message) in [
            ("ratio: 2", "must be a number from 0 to 1, not 2"),
            ("link: \"https://t.example/\"", "must have {trace}, in whose place the id of a trace is put"),
            ("headers_file: /nonexistent", "names a file that does not exist or cannot be read"),
        ] {
            let error = #expect(throws: ConfigurationError.self) { try Self.configuration("tracing: {\(text)}") }
            #expect(error?.message == message)
        }
    }
}
