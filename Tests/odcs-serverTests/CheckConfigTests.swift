import Foundation
import Subprocess
import SystemPackage
import Testing

/// `odcs-server check-config`, as a process of its own.
@Suite struct CheckConfigTests {
    private struct Outcome: Equatable {
        let status: TerminationStatus
        let output: String
        let complaints: String
    }

    /// Checks a file in an otherwise empty directory, which messages call DIRECTORY here.
    private func check(_ text: String?, _ options: [String] = []) async throws -> Outcome {
        let directory = FileManager.default.temporaryDirectory.appending(path: "odcs-config-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: "odcs.yaml")
        if let text { try Data(text.utf8).write(to: file) }
        return try await run(["check-config", "--config", file.path] + options, hiding: directory.path)
    }

    private func run(_ arguments: [String], hiding directory: String = "/nowhere") async throws -> Outcome {
        // The program is built beside the test's own executable.
        let server = FilePath(CommandLine.arguments[0]).removingLastComponent().appending("odcs-server")
        let result = try await Subprocess.run(
            .path(server), arguments: Arguments(arguments), environment: .inherit.updating(["LC_ALL": "C.UTF-8"]),
            output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        return Outcome(
            status: result.terminationStatus, output: result.standardOutput.replacing(directory, with: "DIRECTORY"),
            complaints: result.standardError.replacing(directory, with: "DIRECTORY"))
    }

    @Test("a good file is fine, and so are the defaults")
    func fine() async throws {
        #expect(
            try await check("worker: {slots: 3}") == Outcome(status: .exited(0), output: "DIRECTORY/odcs.yaml: fine.\n", complaints: ""))
        #expect(try await run(["check-config"]) == Outcome(status: .exited(0), output: "The defaults: fine.\n", complaints: ""))
    }

    @Test(
        "a mistake is status 1 and one line that names it",
        arguments: [
            ("worker: {slot: 3}", "DIRECTORY/odcs.yaml:1: worker.slot: there is no such key; did you mean worker.slots?"),
            (
                "sources: {allowed_roots: [missing]}",
                "DIRECTORY/odcs.yaml: sources: The allowed directory DIRECTORY/missing cannot be used: No such file or directory."
            ),
            (
                "sources: {allowed_urls: [\"ftp://example.com\"]}",
                "DIRECTORY/odcs.yaml:1: sources.allowed_urls: must be a list of addresses such as https://example.org/path/, "
                    + "not ftp://example.com"
            ),
            (
                "composes:\n  arches: [x86_64, vax]\n",
                "DIRECTORY/odcs.yaml:2: composes.arches: names an architecture that RPM does not know: vax"
            ),
            (
                "koji: {hub: \"https://koji.example.org\", topdir: missing}",
                "DIRECTORY/odcs.yaml: koji: The allowed directory DIRECTORY/missing cannot be used: No such file or directory."
            ),
            (
                "koji: {hub: \"https://koji.example.org\", topurl: \"https://k.example.org\", ca: missing.pem}",
                "DIRECTORY/odcs.yaml: koji: The file that the setting serverca names cannot be read as PEM certificates."
            ),
            (
                "sources:\n  proxy: \"ftp://me:s3cret@proxy\"",
                "DIRECTORY/odcs.yaml:2: sources.proxy: it is not the address of a proxy, as http://proxy.example.org:3128 is one: "
                    + "it begins with none of http://, socks5:// and socks5h://"
            ),
            ("sources:\n  ca: missing.pem", "DIRECTORY/odcs.yaml:2: sources.ca: names a file that cannot be read as PEM certificates"),
            ("sources:\n  key: key.pem", "DIRECTORY/odcs.yaml:2: sources.key: needs sources.certificate and sources.key together"),
            ("worker: {\"a\\e[31m\": 1}", "DIRECTORY/odcs.yaml:1: worker.aU+001B[31m: there is no such key"),
            (nil, "DIRECTORY/odcs.yaml: there is no such file"),
        ])
    func mistakes(text: String?, expected: String) async throws {
        #expect(try await check(text) == Outcome(status: .exited(1), output: "", complaints: "Error: \(expected)\n"))
    }

    @Test(
        "a setting that does not do what it seems to is a warning, and the file is fine",
        arguments: [
            (
                "frontend: {repeat_seconds: 60}",
                "frontend.repeat_seconds has no effect: it applies to users that the service has identified, and auth.mechanisms is empty. "
                    + "Let clients repeat a request with the same Idempotency-Key header."
            ),
            (
                "{worker: {compose_seconds: 3600}, raw_config: {pungi_koji: pungi-koji}}",
                "worker.compose_seconds is 3600, which is not more than raw_config.timeout_seconds, 3600. A compose of the type raw_config fails "
                    + "before Pungi has had its time. Raise worker.compose_seconds, or lower raw_config.timeout_seconds."
            ),
        ])
    func findings(text: String, expected: String) async throws {
        #expect(
            try await check(text)
                == Outcome(status: .exited(0), output: "DIRECTORY/odcs.yaml: fine.\n", complaints: "Warning: \(expected)\n"))
    }

    @Test("without a raw configuration, the time of a compose may be short")
    func shortComposes() async throws {
        let short = try await check("worker: {compose_seconds: 60}")
        #expect(short == Outcome(status: .exited(0), output: "DIRECTORY/odcs.yaml: fine.\n", complaints: ""))
    }

    @Test("a call that is not understood is status 64, with the usage")
    func misuse() async throws {
        let outcome = try await run(["check-config", "--confg", "x"])
        #expect(outcome.status == .exited(64))
        #expect(outcome.complaints.contains("Unknown option '--confg'"))
        #expect(outcome.complaints.contains("Usage: odcs-server check-config"))
    }

    @Test(
        "a key that a process needs is demanded for its role",
        arguments: [
            (
                "worker", "{}",
                "frontend.public_url: a worker on its own must know where composes are served: it writes the addresses into their .repo files"
            ),
            (
                "builder", "{}",
                "frontend.public_url: a worker on its own must know where composes are served: it writes the addresses into their .repo files"
            ),
            (
                "builder", "frontend: {public_url: \"https://odcs.example.org\"}",
                "images.registry: is not set: a builder must know the registry that images are pushed to"
            ),
            ("publisher", "{}", "events.subscribers: has no broker, that is no receiver of the kind rabbitmq, kafka or amqp"),
            (
                "publisher", "events: {subscribers: {b: {kind: amqp, url: \"amqps://broker.example.org\", address: a}}}",
                "frontend.public_url: is not set: a publisher must know where composes are served, because messages have their addresses"
            ),
        ])
    func roles(role: String, text: String, expected: String) async throws {
        let outcome = try await check(text, ["--role", role])
        #expect(outcome == Outcome(status: .exited(1), output: "", complaints: "Error: DIRECTORY/odcs.yaml: \(expected)\n"))
        #expect(try await check(text).status == .exited(0))
    }

    @Test("brokers that no publisher can serve with this file are a warning")
    func publisher() async throws {
        let outcome = try await check("events: {subscribers: {b: {kind: amqp, url: \"amqps://broker.example.org\", address: a}}}")
        #expect(outcome.status == .exited(0))
        #expect(
            outcome.complaints.contains(
                "Warning: The brokers of events.subscribers get no events, because odcs-publisher cannot start. "
                    + "DIRECTORY/odcs.yaml: frontend.public_url: is not set: a publisher must know where composes are served, "
                    + "because messages have their addresses.\n"))
    }

    @Test("a worker on its own refuses a configuration that does not say where composes are served")
    func workerAlone() async throws {
        let expected =
            "the defaults: frontend.public_url: a worker on its own must know where composes are served: "
            + "it writes the addresses into their .repo files"
        #expect(try await run(["worker"]) == Outcome(status: .exited(1), output: "", complaints: "Error: \(expected)\n"))
    }
}
