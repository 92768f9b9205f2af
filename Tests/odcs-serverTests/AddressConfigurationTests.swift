import ServiceConfiguration
import SystemPackage
import Testing

@testable import odcs_server

/// Addresses in a configuration file.
@Suite struct AddressConfigurationTests {
    private func problem(_ text: String) throws -> String? {
        do {
            _ = try ServerConfiguration(text, file: "odcs.yaml", directory: "/etc/odcs")
            return nil
        } catch let error as ConfigurationError {
            return error.description
        }
    }

    @Test(
        "an address that is none is refused with key and line",
        arguments: [
            ("frontend: {public_url: odcs.example.org}", "frontend.public_url"),
            ("frontend: {public_url: \"https://odcs example.org\"}", "frontend.public_url"),
            ("frontend: {public_url: \"htps://odcs.example.org\"}", "frontend.public_url"),
            ("frontend: {public_url: \"https://\"}", "frontend.public_url"),
            ("frontend: {public_url: \"https://odcs.example.org/?x=1\"}", "frontend.public_url"),
            ("events: {webhooks: [\"hooks.example.org/odcs\"]}", "events.webhooks"),
            ("events: {webhooks: [\"amqp://broker/x\"]}", "events.webhooks"),
            ("events: {token_webhooks: [\"hooks.example.org/tokens\"]}", "events.token_webhooks"),
            ("composes: {targets: {default: {url: \"www.example.org/composes\"}}}", "composes.targets.default.url"),
            ("sources: {allowed_urls: [\"mirror.example.org\"]}", "sources.allowed_urls"),
            ("frontend: {host: \"0.0.0.0:5005\"}", "frontend.host"),
            ("frontend: {host: \"http://127.0.0.1\"}", "frontend.host"),
            ("frontend: {trusted_proxies: [proxy.example.org]}", "frontend.trusted_proxies"),
        ])
    func wrong(_ text: String, key: String) throws {
        let problem = try #require(try problem(text))
        #expect(problem.hasPrefix("odcs.yaml:1: \(key): must be "), "\(problem)")
    }

    @Test(
        "addresses that can be used are taken",
        arguments: [
            "frontend: {host: \"::1\"}", "frontend: {host: odcs.example.org, open_to_all: true}",
            "frontend: {host: \"0.0.0.0\", public_url: \"https://odcs.example.org/odcs/\", open_to_all: true}",
            "frontend: {public_url: \"http://[::1]:5005\"}", "frontend: {trusted_proxies: [192.0.2.7, \"2001:db8::7\"]}",
            "events: {webhooks: [\"https://hooks.example.org/odcs?token=x\"]}",
            "frontend: {host: \"::\", open_to_all: true}\ncomposes: {targets: {default: {url: \"https://files.example.org/composes\"}}}",
        ])
    func right(_ text: String) throws {
        #expect(try problem(text) == nil)
    }

    @Test("all addresses of a host are no address for clients: public_url has to say one", arguments: ["0.0.0.0", "::"])
    func everywhere(_ host: String) throws {
        #expect(
            try problem("frontend: {host: \"\(host)\"}")
                == "odcs.yaml:1: frontend.host: is \(host), which stands for all addresses of this host; clients need one of them, and "
                + "frontend.public_url must say it, for example http://odcs.example.org:5005")
    }
}
