import Deliveries
import ServiceConfiguration
import SystemPackage
import Testing

/// The part of a server's configuration file that a publisher reads.
@Suite struct PublisherConfigurationTests {
    private let broker = "events: {subscribers: {umb: {kind: amqp, url: \"amqps://broker.example.org\", address: a}}}"

    private func configuration(_ text: String) throws -> PublisherConfiguration {
        var reader = try ConfigurationReader(text, file: "odcs.yaml", directory: "/etc/odcs")
        return try PublisherConfiguration(&reader)
    }

    @Test("messages have the address of each target directory, its own or one below that of the service")
    func targets() throws {
        let text = """
            \(broker)
            frontend: {public_url: "https://odcs.example.org/", port: 5005}
            composes: {targets: {private: {}, mirror: {url: "https://mirror.example.org/composes"}}}
            """
        let publisher = try configuration(text)
        #expect(
            publisher.targetURLs == [
                "default": "https://odcs.example.org/composes", "private": "https://odcs.example.org/composes-private",
                "mirror": "https://mirror.example.org/composes",
            ])
        #expect(publisher.brokers.map(\.name) == ["umb"])
        #expect(publisher.database == DatabaseSettings(url: nil, schema: "odcs", connections: 10))
        #expect(publisher.stateDirectory == "/var/lib/odcs")
    }

    @Test("the address of the service is not needed if each target directory has one")
    func ownAddresses() throws {
        let publisher = try configuration("\(broker)\ncomposes: {targets: {default: {url: \"https://mirror.example.org\"}}}")
        #expect(publisher.targetURLs == ["default": "https://mirror.example.org"])
    }

    @Test(
        "a file that lacks what a publisher needs is refused",
        arguments: [
            ("{}", "odcs.yaml: events.subscribers: has no broker, that is no receiver of the kind rabbitmq, kafka or amqp"),
            (
                "events: {subscribers: {umb: {kind: amqp, url: \"amqps://broker.example.org\", address: a}}}",
                "odcs.yaml: frontend.public_url: is not set: a publisher must know where composes are served, because messages have "
                    + "their addresses"
            ),
        ])
    func lacking(text: String, message: String) {
        let error = #expect(throws: ConfigurationError.self) { try configuration(text) }
        // The line depends on the key that is there.
        #expect(error.map { "\($0.file): \($0.key ?? ""): \($0.message)" } == message)
    }
}
