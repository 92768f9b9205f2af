import ComposeModel
import Foundation
import HTTPTypes
import Retries
import ScriptedService
import Testing

@testable import ComposeClient

@Suite("Watches")
struct WatchTests {
    private static let httpd = ComposeSubmission(source: .init(type: "tag", source: "f26", packages: ["httpd"]))

    @Test("a watch is begun, listed, shown and ended as the contract writes it")
    func calls() async throws {
        try await ScriptedService.run { service in
            let client = try client(service)
            let watch = try await client.startWatch(Self.httpd)
            #expect(watch == .example(1))
            #expect(try await client.watch(1) == watch)
            var query = WatchQuery()
            query.owner = "a+b c"
            query.includesEnded = true
            query.page = 1
            query.perPage = 5
            #expect(try await client.watches(query).items == [watch])
            #expect(try await client.endWatch(1).timeEnded != nil)
            #expect(try await client.watches().items == [])

            #expect(
                service.lines == [
                    "POST /api/1/watches/", "GET /api/1/watches/1",
                    "GET /api/1/watches/?page=1&per_page=5&owner=a%2Bb%20c&include_ended=true", "DELETE /api/1/watches/1",
                    "GET /api/1/watches/",
                ])
            let sent = try JSONDecoder().decode(JSONValue.self, from: service.calls[0].body)
            #expect(
                sent
                    == .object([
                        "source": .object([
                            "type": .string("tag"), "source": .string("f26"), "packages": .array([.string("httpd")]),
                        ])
                    ]))
        }
    }

    @Test("what the service may have done although its answer was lost is asked again: it is the same twice as once")
    func lostAnswers() async throws {
        try await ScriptedService.run { service in
            let client = try client(service, clock: StepClock())
            service.loseNextAnswer()
            #expect(try await client.startWatch(Self.httpd).id == 1)
            service.loseNextAnswer()
            #expect(try await client.endWatch(1).id == 1)
            #expect(try await client.watches().items.count == 0)
            #expect(service.calls.map(\.method) == [.post, .post, .delete, .delete, .get])
        }
    }

    @Test("a refusal to begin a watch is told at once")
    func refused() async throws {
        try await ScriptedService.run { service in
            service.next(try .refusal(400, "Only the packages of a Koji tag can be watched."))
            let error = try await #require(throws: ComposeClientError.self) { try await client(service).startWatch(Self.httpd) }
            #expect(error.description == "Only the packages of a Koji tag can be watched. (HTTP 400)")
            #expect(service.calls.count == 1)
        }
    }

    @Test(
        "its changes are told until it has ended; that it was looked at without a change is none, and a restart of the server is outlasted")
    func changes() async throws {
        try await ScriptedService.run { service in
            service.put(WatchDocument.example(1))
            let clock = StepClock { sleep in
                switch sleep {
                case 1:
                    service.changeWatch(1) {
                        $0.timeLooked = "2026-11-21T10:10:00Z"
                        $0.kojiEvent = 100
                    }
                case 2:
                    for _ in 1...6 { service.next(try .refusal(503, "the database is away")) }
                    service.changeWatch(1) { $0.ask(for: 7) }
                case 9: service.changeWatch(1) { $0.problem = "Koji does not answer." }
                case 10: service.changeWatch(1) { $0.timeEnded = "2026-11-21T11:00:00Z" }
                default: break
                }
            }
            var seen: [String] = []
            for try await watch in try client(service, clock: clock).changes(ofWatch: 1) {
                seen.append("\(watch.latestCompose?.id ?? 0) \(watch.problem ?? "-") \(watch.timeEnded != nil)")
            }
            #expect(seen == ["0 - false", "7 - false", "7 Koji does not answer. false", "7 Koji does not answer. true"])
        }
    }

    @Test("the pauses between two looks grow to a quarter of a minute")
    func pauses() {
        #expect(Backoff.watching.ceiling(after: 1) == .milliseconds(500))
        #expect(Backoff.watching.ceiling(after: 1001) == .seconds(15))
    }
}
