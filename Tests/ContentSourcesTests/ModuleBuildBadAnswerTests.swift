import ComposeModel
import Foundation
import Modules
import NIOHTTP1
import Testing

@testable import ContentSources

@Suite("A Module Build Service that answers badly")
struct ModuleBuildBadAnswerTests {
    private static func good() throws -> String { try ModuleBuildReplay.build("m:1:5:a", number: 1) }

    private static func list(_ builds: String, total: Int = 1) -> PulpHTTPServer.Answer {
        .json("{\"items\": [\(builds)], \"meta\": {\"total\": \(total)}}")
    }

    private static let version = "It may be another version of the Module Build Service than this service knows."

    static func useless() throws -> [BadAnswer] {
        let good = try good()
        return [
            BadAnswer(
                name: "401", answer: .status(401), code: .sourceNotUsable,
                text: "NAME asks for credentials (status 401), and the configuration of this service has none for it."),
            BadAnswer(
                name: "403", answer: .status(403), code: .sourceNotUsable,
                text:
                    "NAME does not let this service see its modules (status 403); the Module Build Service's operator can give it the right to "
                    + "view them."),
            BadAnswer(
                name: "404", answer: .status(404), code: .sourceNotUsable,
                text:
                    "There is no API of the Module Build Service at URL/module-build-service/1: the address of the Module Build Service in the "
                    + "configuration of this service is wrong."),
            BadAnswer(
                name: "redirect", answer: .status(302, headers: [("location", "http://127.0.0.1:1/")]), code: .sourceNotUsable,
                text:
                    "NAME redirects to another address, and this service does not follow there; its configuration must name the address at which the "
                    + "Module Build Service itself answers."),
            BadAnswer(
                name: "400", answer: .init(status: 400, body: try ModuleBuildReplay.recording("bad-state")), code: .sourceNotUsable,
                text:
                    "NAME does not understand the request (status 400): \"Invalid state was supplied: nope\". Either a name in the request is none "
                    + "that it can have, or it is another version of the Module Build Service than this service knows."),
            BadAnswer(
                name: "HTML", answer: .html("<!DOCTYPE html><title>Log in</title>"), code: .sourceNotUsable,
                text:
                    "NAME answered with a web page instead of data: something else may be at that address, or asks for a login before it lets anybody "
                    + "through. The address of the Module Build Service in the configuration of this service must be checked."),
            BadAnswer(
                name: "half JSON", answer: .json("{\"items\": [{"), code: .metadataCorrupt,
                text: "The answer of the name cannot be used: it is not JSON, or not complete. \(version)"),
            BadAnswer(
                name: "no version", answer: list("{\"id\": 1, \"name\": \"m\"}"), code: .metadataCorrupt,
                text: "The answer of the name cannot be used: items[0].version is missing. \(version)"),
            BadAnswer(
                name: "a version that is a number", answer: list("{\"id\": 1, \"version\": 5}"), code: .metadataCorrupt,
                text: "The answer of the name cannot be used: items[0].version is not of the type that it should be. \(version)"),
            BadAnswer(
                name: "a version that is none", answer: list(good.replacing("\"5\"", with: "\"new\"")), code: .metadataCorrupt,
                text: "The answer of the name cannot be used: items[0].version cannot be read: it is no whole number. \(version)"),
            BadAnswer(
                name: "another module", answer: list(good.replacing("\"m\"", with: "\"n\"")), code: .metadataCorrupt,
                text:
                    "The answer of the name cannot be used: it lists the module \"n:1:5:a\" in the state \"ready\", which was not asked for. \(version)"
            ),
            BadAnswer(
                name: "another state", answer: list(good.replacing("\"state\":5", with: "\"state\":2").replacing("ready", with: "build")),
                code: .metadataCorrupt,
                text:
                    "The answer of the name cannot be used: it lists the module \"m:1:5:a\" in the state \"build\", which was not asked for. \(version)"
            ),
            BadAnswer(
                name: "less than nothing", answer: list("", total: -1), code: .metadataCorrupt,
                text: "The answer of the name cannot be used: it says that there are -1 builds of modules. \(version)"),
            BadAnswer(
                name: "huge", answer: .json(String(repeating: " ", count: 200_000)), code: .limitExceeded,
                text: "An answer of the name has more than 100000 bytes, the most that this service accepts."),
            BadAnswer(
                name: "no document", answer: list(try ModuleBuildReplay.build("m:1:5:a", number: 1, document: "")), code: .metadataCorrupt,
                text: "The modulemd document of the module m:1:5:a in the name cannot be used: it has no module in it."),
            BadAnswer(
                name: "another's document",
                answer: list(try ModuleBuildReplay.build("m:1:5:a", number: 1, document: ModuleBuildReplay.document("m:1:6:a"))),
                code: .metadataCorrupt,
                text: "The modulemd document of the module m:1:5:a in the name cannot be used: it is that of \"m:1:6:a\"."),
        ]
    }

    private static func asked(_ address: String, _ limits: ModuleBuildServer.Limits = limits) async throws -> ComposeFailure? {
        try await ModuleBuildBench.failure {
            _ = try await ModuleBuildBench.with(address, limits: limits) { try await $0.ids("m:1") }
        }
    }

    private static var limits: ModuleBuildServer.Limits {
        var limits = ModuleBuildBench.limits
        limits.asking.answerBytes = 100_000
        return limits
    }

    @Test("is explained and not asked again where that cannot help", arguments: try useless())
    func explained(_ bad: BadAnswer) async throws {
        try await PulpHTTPServer.with({ _ in bad.answer }) { server in
            let failure = try await Self.asked(server.address)
            let text = bad.text.replacing("NAME", with: "The Module Build Service at \(server.address)")
                .replacing("the name", with: "the Module Build Service at \(server.address)").replacing("URL", with: server.address)
            #expect(failure?.message == text)
            #expect(failure?.code == bad.code)
            #expect(failure?.isTransient == false)
            #expect(server.requests.count == 1)
        }
    }

    @Test("has a document that is no YAML: the module is named")
    func brokenDocument() async throws {
        let replay = ModuleBuildReplay(
            hasRecorded: false, additional: [try ModuleBuildReplay.build("m:1:5:a", number: 1, document: "document: [")])
        try await ModuleBuildBench.with(replay) { (service, server) async throws in
            let failure = try await ModuleBuildBench.failure { _ = try await service.ids("m:1") }
            #expect(failure?.code == .metadataCorrupt)
            let start = "The modulemd document of the module m:1:5:a in the Module Build Service at \(server.address) cannot be used: "
            #expect(failure?.message.hasPrefix(start) == true, "\(failure?.message ?? "")")
            #expect(failure?.message.hasSuffix(".") == true)
        }
    }

    static let passing: [BadAnswer] =
        [500, 502, 503, 504, 429].map { status in
            BadAnswer(
                name: "\(status)", answer: .html("<h1>\(status)</h1>", status: status), code: .sourceUnreachable,
                text: "could not be asked: it answered with the status \(status).")
        } + [
            BadAnswer(
                name: "cut off", answer: .init(body: Array("{\"items\": [".utf8), manner: .cut), code: .sourceUnreachable,
                text: "could not be asked: the connection was cut in the middle of its answer.")
        ]

    @Test("is asked again where that may help, and then explained as something that may pass", arguments: passing)
    func askedAgain(_ bad: BadAnswer) async throws {
        try await PulpHTTPServer.with({ _ in bad.answer }) { server in
            let failure = try await Self.asked(server.address)
            #expect(
                failure
                    == ComposeFailure(
                        .sourceUnreachable, "The Module Build Service at \(server.address) \(bad.text)", isTransient: true))
            #expect(server.requests.count == 3)
        }
    }

    @Test("and is well the next time gives what it has", arguments: passing)
    func recovers(_ bad: BadAnswer) async throws {
        let found = try await PulpHTTPServer.with({ $0.number < 3 ? bad.answer : ModuleBuildReplay().answer($0) }) { server in
            try await ModuleBuildBench.with(server.address) { try await $0.ids("testmodule:next-gen") }
        }
        #expect(found == ["testmodule:next-gen:20180501000000:c2c572ec"])
    }

    static let slowAnswers: [PulpHTTPServer.Answer?] = [
        nil, .init(body: Array("{\"items\"".utf8), manner: .stalled), .init(body: Array(repeating: 32, count: 100_000), manner: .dripping),
    ]

    @Test("is given up when it takes too long, whether it is silent, stops or drips", arguments: slowAnswers.indices)
    func slow(_ index: Int) async throws {
        var limits = Self.limits
        limits.asking.answerTime = .milliseconds(300)
        limits.asking.attempts = 2
        let failure = try await PulpHTTPServer.with({ _ in Self.slowAnswers[index] }) { server in
            try await Self.asked(server.address, limits)
        }
        #expect(failure?.code == .sourceUnreachable)
        #expect(failure?.isTransient == true)
        #expect(failure?.message.contains(" did not answer ") == true, "\(failure?.message ?? "")")
    }

    @Test("is not there at all")
    func away() async throws {
        let address = try await PulpHTTPServer.with({ _ in nil }) { $0.address }
        #expect(
            try await Self.asked(address)
                == ComposeFailure(
                    .sourceUnreachable, "The Module Build Service at \(address) could not be asked: it does not accept connections.",
                    isTransient: true))
    }

    @Test("has a list without end, or of more pages than can be read")
    func endless() async throws {
        var limits = Self.limits
        limits.pages = 3
        limits.pageSize = 1
        // All of one version, so that more of it may always come.
        let builds = try (0...5).map { try ModuleBuildReplay.build("m:1:5:c\($0)", number: $0) }
        try await PulpHTTPServer.with({ Self.list(builds[min($0.number, 5)], total: 1_000_000) }) { server in
            let failure = try await Self.asked(server.address, limits)
            #expect(
                failure
                    == ComposeFailure(
                        .limitExceeded,
                        "The Module Build Service at \(server.address) lists 1000000 builds of modules for one question, more than the 3 pages of 1 that "
                            + "this service reads. A version that is named, as in NAME:STREAM:VERSION, makes the list shorter."))
            #expect(server.requests.count == 3)
        }
    }

    @Test("has a list that changes while it is read: it is read anew, and given up when that does not help")
    func changing() async throws {
        var limits = Self.limits
        limits.pageSize = 1
        let good = try Self.good()
        try await PulpHTTPServer.with({ request in Self.list(good, total: request.number + 1) }) { server in
            let failure = try await Self.asked(server.address, limits)
            #expect(
                failure
                    == ComposeFailure(
                        .sourceChanging,
                        "The list of modules of the Module Build Service at \(server.address) changed each time while it was read; try again later.",
                        isTransient: true))
        }
        let found = try await PulpHTTPServer.with({ request in
            Self.list(request.number == 2 ? "" : good, total: request.number < 3 ? 2 : 1)
        }) { server in
            try await ModuleBuildBench.with(server.address, limits: limits) { try await $0.ids("m:1") }
        }
        #expect(found == ["m:1:5:a"])
    }

    @Test("has a list that is shorter than it says: it is believed when it is so again")
    func short() async throws {
        let good = try Self.good()
        try await PulpHTTPServer.with({ Self.list($0.query["page"] == "1" ? good : "", total: 2) }) { server in
            let found = try await ModuleBuildBench.with(server.address) { try await $0.ids("m:1") }
            #expect(found == ["m:1:5:a"])
            #expect(server.requests.count == 4)
        }
    }

    @Test("a compose that is canceled stops asking")
    func canceled() async throws {
        let failure = try await PulpHTTPServer.with({ _ in nil }) { server in
            let address = server.address
            let asking = Task { try await Self.asked(address) }
            asking.cancel()
            return try await asking.value
        }
        #expect(failure?.code == .canceled)
    }
}
