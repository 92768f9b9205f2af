import ComposeModel
import ComposeStore
import ComposeWorker
import Foundation
import SystemPackage
import Testing

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
        #expect(events.keepDays == 3 && events.hasTokenWebhooks)
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
        func events(_ text: String) throws -> ServerConfiguration.Events {
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
}
