import ComposeModel
import Foundation
import NIOHTTP1
import Testing

@testable import ContentSources

/// An answer of a Pulp, and what a person is told about it.
struct BadAnswer: Sendable, CustomTestStringConvertible {
    let name: String
    let answer: PulpHTTPServer.Answer
    let code: ComposeFailure.Code
    let text: String
    var testDescription: String { name }
}

@Suite("A Pulp that answers badly")
struct PulpBadAnswerTests {
    private static let page =
        "{\"count\": 1, \"results\": [{\"name\": \"r\", \"base_url\": URL, \"content_guard\": null, \"pulp_labels\": LABELS}]}"

    private static func page(url: String = "\"http://c/r/\"", labels: String = "{\"content_set\": \"f26-rpms-x86_64\"}") -> String {
        page.replacing("URL", with: url).replacing("LABELS", with: labels)
    }

    static let useless: [BadAnswer] = [
        BadAnswer(
            name: "401", answer: .json("{\"detail\": \"Invalid username/password.\"}", status: 401), code: .sourceNotUsable,
            text:
                "does not accept a user name and password of this service (status 401); what its configuration has for Pulp must be checked."
        ),
        BadAnswer(
            name: "403", answer: .status(403), code: .sourceNotUsable, text: "does not let this service see its repositories (status 403)"),
        BadAnswer(name: "404", answer: .status(404), code: .sourceNotUsable, text: "There is no API of Pulp 3 at http://127.0.0.1:"),
        BadAnswer(
            name: "redirect", answer: .status(302, headers: [("location", "http://127.0.0.1:1/")]), code: .sourceNotUsable,
            text: "redirects to another address"),
        BadAnswer(
            name: "400", answer: .json("{\"errors\": [\"Invalid Filter: 'q'\"]}", status: 400), code: .sourceNotUsable,
            text: "does not understand the request (status 400): \"Invalid Filter: 'q'\"."),
        BadAnswer(name: "410", answer: .status(410), code: .sourceNotUsable, text: "answered with the status 410"),
        BadAnswer(
            name: "HTML", answer: .html("\n<!DOCTYPE html><title>Log in</title>"), code: .sourceNotUsable,
            text: "answered with a web page instead of data"),
        BadAnswer(name: "empty", answer: .json(""), code: .metadataCorrupt, text: "it is not JSON, or not complete"),
        BadAnswer(
            name: "half JSON", answer: .json("{\"count\": 1, \"resu"), code: .metadataCorrupt, text: "it is not JSON, or not complete"),
        BadAnswer(name: "a list", answer: .json("[]"), code: .metadataCorrupt, text: "is not of the type that it should be"),
        BadAnswer(name: "no count", answer: .json("{\"results\": []}"), code: .metadataCorrupt, text: "count is missing"),
        BadAnswer(
            name: "no name", answer: .json("{\"count\": 1, \"results\": [{}]}"), code: .metadataCorrupt, text: "results[0].name is missing"),
        BadAnswer(
            name: "no base_url", answer: .json(page(url: "null")), code: .metadataCorrupt, text: "results[0].base_url is null"),
        BadAnswer(
            name: "base_url that would be a line of its own", answer: .json(page(url: "\"http://c/\\nproxy=http://evil/\"")),
            code: .metadataCorrupt, text: "the base_url of the distribution \"r\" cannot be used: it contains a space"),
        BadAnswer(
            name: "base_url with a password", answer: .json(page(url: "\"http://u:p@c/\"")), code: .metadataCorrupt,
            text: "it contains a user name or password"),
        BadAnswer(
            name: "base_url of a file", answer: .json(page(url: "\"file:///etc\"")), code: .metadataCorrupt, text: "neither http:// nor"),
        BadAnswer(
            name: "labels that are no object", answer: .json(page(labels: "[1]")), code: .metadataCorrupt,
            text: "results[0].pulp_labels is not of the type"),
        BadAnswer(
            name: "a label of two lines", answer: .json(page(labels: "{\"arch\": \"x86_64\\n[main]\"}")), code: .metadataCorrupt,
            text: "results[0].pulp_labels.arch cannot be read: it contains a space or a control character"),
        BadAnswer(
            name: "another content set", answer: .json(page(labels: "{\"content_set\": \"other\"}")), code: .metadataCorrupt,
            text: "it lists the distribution \"r\", which was not asked for"),
        BadAnswer(
            name: "more than can be meant", answer: .json("{\"count\": 1000000000, \"results\": []}"), code: .limitExceeded,
            text: "has 1000000000 repositories for the names in this request"),
        BadAnswer(
            name: "a negative count", answer: .json("{\"count\": -1, \"results\": []}"), code: .limitExceeded, text: "-1 repositories"),
        BadAnswer(
            name: "huge", answer: .json(String(repeating: " ", count: 200_000)), code: .limitExceeded,
            text: "has more than 100000 bytes, the most that this service accepts"),
        BadAnswer(
            name: "endless", answer: .init(body: Array(repeating: 32, count: 10_000), manner: .endless), code: .limitExceeded,
            text: "has more than 100000 bytes"),
    ]

    private static var limits: PulpServer.Limits {
        var limits = PulpBench.limits
        limits.asking.answerBytes = 100_000
        return limits
    }

    @Test("is explained and not asked again where that cannot help", arguments: useless)
    func explained(_ bad: BadAnswer) async throws {
        let (failure, count) = try await PulpHTTPServer.with({ _ in bad.answer }) { server in
            let failure = try await PulpBench.failure(
                server.address, authentication: .password("s3cret", user: "odcs"), limits: Self.limits)
            return (failure, server.requests.count)
        }
        #expect(failure?.code == bad.code)
        #expect(failure?.isTransient == false)
        #expect(failure?.message.contains(bad.text) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("Pulp") == true)
        #expect(failure?.message.contains("s3cret") == false)
        #expect(count == 1)
    }

    static let passing: [BadAnswer] =
        [500, 502, 503, 504, 429, 408].map { status in
            BadAnswer(
                name: "\(status)", answer: .html("<h1>\(status)</h1>", status: status), code: .sourceUnreachable,
                text: "could not be asked: it answered with the status \(status).")
        } + [
            BadAnswer(
                name: "cut off", answer: .init(body: Array("{\"count\": 0".utf8), manner: .cut), code: .sourceUnreachable,
                text: "the connection was cut in the middle of its answer.")
        ]

    @Test("is asked again where that may help, and then explained as something that may pass", arguments: passing)
    func askedAgain(_ bad: BadAnswer) async throws {
        let (failure, count) = try await PulpHTTPServer.with({ _ in bad.answer }) { server in
            (try await PulpBench.failure(server.address), server.requests.count)
        }
        #expect(failure?.code == bad.code)
        #expect(failure?.isTransient == true)
        #expect(failure?.message.hasPrefix("Pulp at http://127.0.0.1:") == true)
        #expect(failure?.message.contains(bad.text) == true, "\(failure?.message ?? "")")
        #expect(count == 3)
    }

    @Test("and is well the next time gives what it has", arguments: passing)
    func recovers(_ bad: BadAnswer) async throws {
        let findings = try await PulpHTTPServer.with({ $0.number < 3 ? bad.answer : PulpReplay().answer($0) }) { server in
            try await PulpBench.ask(server.address, for: ["f26-rpms-x86_64"])
        }
        #expect(findings.found.map(\.id) == ["ed-x86_64"])
    }

    static let slowAnswers: [PulpHTTPServer.Answer?] = [
        nil, .init(body: Array("{\"count\"".utf8), manner: .stalled), .init(body: Array(repeating: 32, count: 100_000), manner: .dripping),
    ]

    @Test("is given up when it takes too long, whether it is silent, stops or drips", arguments: slowAnswers.indices)
    func slow(_ index: Int) async throws {
        var limits = PulpBench.limits
        limits.asking.answerTime = .milliseconds(300)
        limits.asking.attempts = 2
        let failure = try await PulpHTTPServer.with({ _ in Self.slowAnswers[index] }) { server in
            try await PulpBench.failure(server.address, limits: limits)
        }
        #expect(failure?.code == .sourceUnreachable)
        #expect(failure?.isTransient == true)
        #expect(failure?.message.contains(" did not answer ") == true, "\(failure?.message ?? "")")
    }

    @Test("is not there at all")
    func away() async throws {
        let address = try await PulpHTTPServer.with({ _ in nil }) { $0.address }
        let failure = try await PulpBench.failure(address)
        #expect(
            failure
                == ComposeFailure(
                    .sourceUnreachable, "Pulp at \(address) could not be asked: it does not accept connections.", isTransient: true))
    }

    @Test("wants credentials that the configuration does not have")
    func noCredentials() async throws {
        let (address, failure) = try await PulpHTTPServer.with(PulpReplay(authorization: "Basic x").answer) { server in
            (server.address, try await PulpBench.failure(server.address))
        }
        #expect(
            failure
                == ComposeFailure(
                    .sourceNotUsable,
                    "Pulp at \(address) asks for credentials (status 401), and the configuration of this service has none for it."))
    }

    @Test("a compose that is canceled stops asking")
    func canceled() async throws {
        let failure = try await PulpHTTPServer.with({ _ in nil }) { server in
            let address = server.address
            let asking = Task { try await PulpBench.failure(address) }
            asking.cancel()
            return try await asking.value
        }
        #expect(failure?.code == .canceled)
    }

    @Test(
        "an address or user that cannot be meant is refused at the start",
        arguments: [
            ("pulp.example.org", "odcs", "The address of Pulp cannot be used: it is not a complete address."),
            (
                "https://u:s3cret@pulp/", "odcs",
                "The address of Pulp cannot be used: it contains a user name or password, which would become readable by everyone."
            ),
            ("https://pulp/", "od:cs", "The user name for Pulp cannot be used: it is empty or contains a colon."),
        ])
    func configuration(url: String, user: String, message: String) {
        let error = #expect(throws: PulpServer.ConfigurationError.self) {
            try PulpServer(url: url, version: .pulp3, authentication: .password("s3cret", user: user))
        }
        #expect(error?.description == message)
    }

    @Test("the password is in no description of the configuration")
    func secret() throws {
        let server = try PulpServer(url: "https://pulp/", version: .pulp3, authentication: .password("s3cret", user: "odcs"))
        var dumped = ""
        dump(server, to: &dumped)
        for text in [dumped, "\(server)", String(reflecting: server), "\(server.authentication)"] { #expect(!text.contains("s3cret")) }
    }
}
