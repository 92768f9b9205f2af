import AsyncHTTPClient
import ComposeModel
import Foundation
import HTTPTypes
import ScriptedService
import Synchronization
import Testing

@testable import ComposeClient

@Suite("Calls to the service")
struct ComposeClientTests {
    @Test("a submission is sent as the contract writes it, with the token, and nothing that was not asked for")
    func submission() async throws {
        try await ScriptedService.run { service in
            var submission = ComposeSubmission(source: .init(type: "tag", source: "f26", packages: ["httpd"]))
            submission.source.sigkeys = ["db42a60e", ""]
            submission.source.baseModuleBrStreamVersionLTE = 280_000
            submission.flags = ["no_deps"]
            submission.multilibMethods = ["devel"]
            submission.secondsToLive = 3600
            let compose = try await client(service, token: " secret\n").submit(submission)

            #expect(compose.id == 1)
            #expect(compose.stateName == "wait")
            let call = try #require(service.calls.first)
            #expect(call.line == "POST /api/1/composes/")
            #expect(call.headers[.authorization] == "Bearer secret")
            let sent = try JSONDecoder().decode(JSONValue.self, from: call.body)
            #expect(
                sent
                    == .object([
                        "source": .object([
                            "type": .string("tag"), "source": .string("f26"), "packages": .array([.string("httpd")]),
                            "sigkeys": .array([.string("db42a60e"), .string("")]), "base_module_br_stream_version_lte": .integer(280_000),
                        ]),
                        "flags": .array([.string("no_deps")]), "multilib_method": .array([.string("devel")]),
                        "seconds_to_live": .integer(3600),
                    ]))
        }
    }

    @Test("a list asks for the page and the filters, escaped")
    func list() async throws {
        try await ScriptedService.run { service in
            service.put(.example(1, .done, at: service.address))
            service.put(.example(2, .wait, at: service.address))
            var query = ComposeQuery()
            query.page = 1
            query.perPage = 5
            query.owner = "a+b c"
            query.state = .done
            query.sourceType = .repo
            query.order = "-time_done"
            let list = try await client(service).list(query)

            #expect(list.items.map(\.id) == [2, 1])
            #expect(list.meta.total == 2)
            #expect(service.lines == ["GET /api/1/composes/?page=1&per_page=5&owner=a%2Bb%20c&source_type=3&state=2&order_by=-time_done"])
        }
    }

    @Test("renew, delete and about speak the contract")
    func others() async throws {
        try await ScriptedService.run { service in
            service.put(.example(7, .done, at: service.address))
            let client = try client(service)
            let renewed = try await client.renew(7, ComposeRenewal(secondsToLive: 60, source: .init(builds: ["ed-1-1"])))
            let deleted = try await client.delete(7)
            let about = try await client.about()

            #expect(renewed.id == 7)
            #expect(deleted == Acknowledgement(status: 202, message: "Compose 7 is canceled"))
            #expect(about.version == "1.0")
            #expect(about.sigkeys == ["db42a60e"])
            #expect(about.allowedClients == .object(["groups": .object([:]), "users": .object(["me": .object([:])])]))
            #expect(service.lines == ["PATCH /api/1/composes/7", "DELETE /api/1/composes/7", "GET /api/1/about/"])
            let sent = try JSONDecoder().decode(JSONValue.self, from: service.calls[0].body)
            #expect(sent == .object(["seconds_to_live": .integer(60), "source": .object(["builds": .array([.string("ed-1-1")])])]))
        }
    }

    @Test("a GET is asked again while the service is away, with growing pauses, and then answered")
    func repeated() async throws {
        try await ScriptedService.run { service in
            service.put(.example(1, .done, at: service.address))
            service.next(try .refusal(503, "the database is away"), Answer(502, "<h1>Bad Gateway</h1>"))
            let clock = StepClock()
            let compose = try await client(service, clock: clock).get(1)

            #expect(compose.id == 1)
            #expect(service.calls.count == 3)
            let pauses = clock.sleeps
            try #require(pauses.count == 2)
            #expect(pauses[0] >= .milliseconds(125) && pauses[0] <= .milliseconds(250))
            #expect(pauses[1] >= .milliseconds(250) && pauses[1] <= .milliseconds(500))
        }
    }

    @Test("a GET is not asked for ever: the last refusal is told as the service said it")
    func bounded() async throws {
        try await ScriptedService.run { service in
            for _ in 0..<10 { service.next(try .refusal(503, "the database is away")) }
            let error = try await #require(throws: ComposeClientError.self) { try await client(service).get(1) }

            #expect(error.description == "the database is away (HTTP 503)")
            #expect(service.calls.count == 4)
        }
    }

    @Test("a refusal that time does not heal is not asked again")
    func refusal() async throws {
        try await ScriptedService.run { service in
            let error = try await #require(throws: ComposeClientError.self) { try await client(service).get(12) }

            #expect(error == ComposeClientError(.refused, "No such compose: 12 (HTTP 404)", status: 404))
            #expect(service.calls.count == 1)
        }
    }

    @Test("a submission is sent again with its key while the service fails, and makes one compose", arguments: [500, 502, 503, 504])
    func submittedAgain(status: Int) async throws {
        try await ScriptedService.run { service in
            service.next { call in
                _ = try service.obey(call)
                return try .refusal(status, "come back later")
            }
            let clock = StepClock()
            let compose = try await client(service, clock: clock).submit(ComposeSubmission(source: .init(type: "tag", source: "f26")))

            #expect(compose.id == 1)
            #expect(clock.sleeps.count == 1)
            #expect(service.lines == ["POST /api/1/composes/", "POST /api/1/composes/"])
            let keys = service.calls.map { $0.headers[.idempotencyKey] }
            #expect(keys[0] == keys[1])
            #expect(keys[0].flatMap(UUID.init(uuidString:)) != nil)
            #expect(service.calls[0].body == service.calls[1].body)
        }
    }

    @Test("a submission whose answer was lost with the connection is sent again, and makes one compose")
    func lostConnection() async throws {
        try await ScriptedService.run { service in
            service.loseNextAnswer()
            let compose = try await client(service).submit(ComposeSubmission(source: .init(type: "tag", source: "f26")))

            #expect(compose.id == 1)
            #expect(service.calls.count == 2)
        }
    }

    @Test("a submission that is not answered in time is sent again, and makes one compose")
    func submittedTooSlowly() async throws {
        try await ScriptedService.run { service in
            service.next { call in
                _ = try service.obey(call)
                try await untilCancelled()
            }
            let client = ComposeClient(server: try ServerAddress(service.address), timeout: .milliseconds(500), clock: StepClock())
            let compose = try await client.submit(ComposeSubmission(source: .init(type: "tag", source: "f26")))

            #expect(compose.id == 1)
            #expect(service.calls.count >= 2)
        }
    }

    @Test("a submission outlasts a gateway's errors for minutes, and says once that it waits and once that it need not any more")
    func submittedPatiently() async throws {
        try await ScriptedService.run { service in
            for _ in 0..<30 { service.next(Answer(503, "<h1>Bad Gateway</h1>", type: "text/html")) }
            let outages = Mutex<[Outage]>([])
            let client = ComposeClient(server: try ServerAddress(service.address), clock: StepClock()) { outage in
                outages.withLock { $0.append(outage) }
            }
            let compose = try await client.submit(ComposeSubmission(source: .init(type: "tag", source: "f26")))

            #expect(compose.id == 1)
            let told = outages.withLock(\.self)
            try #require(told.count == 2)
            if case .began(let error) = told[0] { #expect(error.status == 503) } else { Issue.record("\(told)") }
            #expect(told[1] == .ended)
        }
    }

    @Test("a token goes along with a redirect to the same server, and to no other")
    func redirectedToken() async throws {
        try await ScriptedService.run { service in
            service.put(.example(1, .done, at: service.address))
            let elsewhere = service.address.replacing("127.0.0.1", with: "localhost")
            for (target, token) in [(service.address, "Bearer secret"), (elsewhere, nil)] as [(String, String?)] {
                service.next(Answer(302, headers: [.location: "\(target)/api/1/composes/1"]))
                _ = try await client(service, token: "secret").get(1)
                #expect(service.calls.last?.headers[.authorization] == token)
            }
        }
    }

    @Test("a submission is not sent for ever")
    func submittedBoundedly() async throws {
        try await ScriptedService.run { service in
            for _ in 0..<100 { service.next(try .refusal(503, "the database is away")) }
            let clock = StepClock()
            let error = try await #require(throws: ComposeClientError.self) {
                try await client(service, clock: clock).submit(ComposeSubmission(source: .init(type: "tag", source: "f26")))
            }
            #expect(error.description == "the database is away (HTTP 503)")
            let waited = clock.sleeps.reduce(.zero, +)
            #expect(waited > .seconds(180) && waited < .seconds(420))
        }
    }

    @Test("a submission that is refused is not sent again", arguments: [400, 401, 403, 409, 413, 429])
    func refusedSubmission(status: Int) async throws {
        try await ScriptedService.run { service in
            service.next(try .refusal(status, "no"))
            let error = try await #require(throws: ComposeClientError.self) {
                try await client(service).submit(ComposeSubmission(source: .init(type: "tag", source: "f26")))
            }
            #expect(error.status == status)
            #expect(service.calls.count == 1)
        }
    }

    @Test("two submissions have two keys, and the caller may choose one")
    func keys() async throws {
        try await ScriptedService.run { service in
            let submission = ComposeSubmission(source: .init(type: "tag", source: "f26"))
            let client = try client(service)
            let first = try await client.submit(submission)
            let second = try await client.submit(submission, idempotencyKey: "my-key")
            let third = try await client.submit(submission, idempotencyKey: "my-key")

            #expect([first, second, third].map(\.id) == [1, 2, 2])
            #expect(service.calls[0].headers[.idempotencyKey] != "my-key")
        }
    }

    @Test("a renewal is sent again with its key")
    func renewedAgain() async throws {
        try await ScriptedService.run { service in
            service.put(.example(1, .done, at: service.address))
            service.next(try .refusal(503, "come back later"))
            let compose = try await client(service).renew(1)

            #expect(compose.id == 1)
            #expect(service.lines == ["PATCH /api/1/composes/1", "PATCH /api/1/composes/1"])
            let keys = service.calls.map { $0.headers[.idempotencyKey] }
            #expect(keys[0] != nil && keys[0] == keys[1])
        }
    }

    @Test("a deletion is sent once", arguments: [500, 503])
    func notRepeated(status: Int) async throws {
        try await ScriptedService.run { service in
            service.next(try .refusal(status, "come back later"))
            let error = try await #require(throws: ComposeClientError.self) { try await client(service).delete(1) }
            #expect(error.status == status)
            #expect(service.lines == ["DELETE /api/1/composes/1"])
        }
    }

    @Test("a POST that is redirected stays a POST, body and all", arguments: [301, 302, 307, 308])
    func redirect(status: Int) async throws {
        try await ScriptedService.run { service in
            service.next(Answer(status, headers: [.location: "\(service.address)/api/1/composes/?moved"]))
            let compose = try await client(service).submit(ComposeSubmission(source: .init(type: "tag", source: "f26")))

            #expect(compose.source == "f26")
            #expect(service.lines == ["POST /api/1/composes/", "POST /api/1/composes/?moved"])
        }
    }

    @Test("what answers and is not the service is named, in its own first words")
    func notJSON() async throws {
        try await ScriptedService.run { service in
            service.next(Answer(200, "<html>\n<h1>It works!</h1>\n</html>", type: "text/html"))
            let error = try await #require(throws: ComposeClientError.self) { try await client(service).get(1) }

            #expect(error.code == .notTheService)
            #expect(
                error.description
                    == "\(service.address)/api/1/composes/1 answered HTTP 200 with text/html instead of ODCS's JSON, "
                    + "saying \"It works!\"; is this the address of ODCS?")
        }
    }

    @Test("a question that the original ODCS does not know is refused with the version of that service")
    func unknownQuestion() async throws {
        try await ScriptedService.run { service in
            service.next(try .refusal(404, "The requested URL was not found on the server."))
            service.next(Answer(200, #"{"version": "0.9.2"}"#, type: "application/json"))
            let error = try await #require(throws: ComposeClientError.self) { try await client(service).why(1, package: "ed") }

            #expect(
                error.description
                    == "ODCS at \(service.address) has the version 0.9.2, which does not know this request. The original ODCS and old versions "
                    + "know only composes. It answered: The requested URL was not found on the server. (HTTP 404)")
            #expect(service.lines == ["GET /api/1/composes/1/why?package=ed", "GET /api/1/about/"])
        }
    }

    @Test("a compose that is not there is refused in the words of a service that knows the question")
    func unknownCompose() async throws {
        try await ScriptedService.run { service in
            service.next(try .refusal(404, "there is no compose 1"))
            service.next(Answer(200, #"{"version": "1", "features": ["wait"]}"#, type: "application/json"))
            let error = try await #require(throws: ComposeClientError.self) { try await client(service).why(1, package: "ed") }
            #expect(error.description == "there is no compose 1 (HTTP 404)")
        }
    }

    @Test("JSON that is not a compose is named by what it lacks")
    func otherJSON() async throws {
        try await ScriptedService.run { service in
            service.next(Answer(200, #"{"id": 1}"#, type: "application/json"))
            let error = try await #require(throws: ComposeClientError.self) { try await client(service).get(1) }

            #expect(
                error.description
                    == "\(service.address)/api/1/composes/1 answered JSON that is not what ODCS answers there: 'source_type' is missing")
        }
    }

    @Test("a message of the service cannot bring line ends or escape sequences along")
    func harmless() async throws {
        try await ScriptedService.run { service in
            service.next(try .refusal(400, "unknown\nflag \u{1B}[31mx"))
            let error = try await #require(throws: ComposeClientError.self) { try await client(service).get(1) }
            #expect(error.description == "unknown flag [31mx (HTTP 400)")
        }
    }

    @Test("a refused connection says so, and which address it was")
    func refusedConnection() async throws {
        // The port was bound a moment ago, and is free again.
        let address = try await ScriptedService.run { $0.address }
        let clock = StepClock()
        let client = ComposeClient(server: try ServerAddress(address), clock: clock)
        let error = try await #require(throws: ComposeClientError.self) { try await client.get(1) }

        #expect(error == ComposeClientError(.unreachable, "cannot reach ODCS at \(address): connection refused"))
        #expect(clock.sleeps.count == 3)
    }

    @Test("a host without an address is called by its name")
    func unknownHost() async throws {
        let client = ComposeClient(server: try ServerAddress("http://odcs.invalid"), clock: StepClock())
        let error = try await #require(throws: ComposeClientError.self) { try await client.get(1) }
        #expect(error.description == "cannot reach ODCS at http://odcs.invalid: no host is called odcs.invalid")
    }

    @Test("an answer that does not come in time is told as such, and not asked for again")
    func timeout() async throws {
        try await ScriptedService.run { service in
            service.next { _ in try await untilCancelled() }
            let clock = StepClock()
            let client = ComposeClient(server: try ServerAddress(service.address), timeout: .milliseconds(50), clock: clock)
            let error = try await #require(throws: ComposeClientError.self) { try await client.get(1) }

            #expect(error == ComposeClientError(.timedOut, "ODCS at \(service.address) did not answer in time"))
            #expect(clock.sleeps.isEmpty)
            #expect(service.calls.count <= 1)
        }
    }
}

typealias Answer = ScriptedService.Answer

func client(_ service: ScriptedService, token: String? = nil, clock: any Clock<Duration> = StepClock()) throws -> ComposeClient {
    ComposeClient(server: try ServerAddress(service.address), token: token, clock: clock)
}
