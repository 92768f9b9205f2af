import AsyncHTTPClient
import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import Synchronization
import SystemPackage
import Testing

/// Events over HTTP: streams that a reader continues, pages, and requests that wait.
@Suite(.timeLimit(.minutes(5))) struct EventStreamTests {
    private static let repository = Checkout.testsRepo.string

    private struct Page: Decodable {
        struct Item: Decodable {
            struct Message: Decodable {
                let event: String
                let compose: ComposeDocument?
            }
            let position: Int
            let message: Message
        }
        let events: [Item]
        let next: Int

        var changes: [String] { events.map { "\($0.message.compose?.id ?? 0) \($0.message.compose?.stateName ?? "")" } }
    }

    private func page(_ query: String, _ server: ServerProcess) async throws -> Page {
        try JSONDecoder().decode(Page.self, from: try await server.http(.GET, "/api/1/events?\(query)").body)
    }

    @Test("many readers continue over a restart of the service, and none misses an event or gets one twice")
    func restart() async throws {
        let readers = 40
        try await TestService.with { service in
            let seen = SeenEvents(readers)
            let (opened, open) = AsyncStream.makeStream(of: Void.self)
            try await ServerProcess.with(configuration: service.configuration) { server in
                // The readers end with the server.
                async let first: Void = withThrowingTaskGroup(of: Void.self) { reading in
                    for reader in 0..<readers {
                        reading.addTask {
                            try await EventStream.read("\(server.url)/api/1/events") { event in
                                if event == .open { open.yield() } else { seen.add(event.id, by: reader) }
                                return true
                            }
                        }
                    }
                    try await reading.waitForAll()
                }
                var count = 0
                for await _ in opened {
                    count += 1
                    if count == readers { break }
                }
                _ = try await server.compose("repo", Self.repository, "libed-data")
                await server.terminate()
                // A stream that is cut is no failure: the reader continues.
                _ = try? await first
            }
            // Events that nobody was there for.
            for _ in 0..<5 { _ = try await service.store.submit(.repo(["libed-data"], from: Self.repository), owner: "me") }
            try await ServerProcess.with(configuration: service.configuration) { server in
                _ = try await server.compose("repo", Self.repository, "ed")
                for id in 1...7 { _ = try await service.await(id, .done, .failed) }
                try await service.store.sequenceEvents()
                let last = try await service.store.eventBounds().last
                try await withThrowingTaskGroup(of: Void.self) { reading in
                    for reader in 0..<readers {
                        reading.addTask {
                            let id = seen.last(of: reader)
                            if id == last { return }
                            try await EventStream.read("\(server.url)/api/1/events", after: id.map(String.init) ?? "0") { event in
                                guard event != .open else { return true }
                                seen.add(event.id, by: reader)
                                return Int(event.id) != last
                            }
                        }
                    }
                    try await reading.waitForAll()
                }
                #expect(last > 20)
                for reader in seen.all { #expect(reader == Array(1...last)) }
            }
        }
    }

    @Test("the stream of a compose has its states, the lines of its log and its end, and can be continued anywhere")
    func compose() async throws {
        try await TestService.running { service, server in
            let id = try await server.submit("repo", Self.repository, "ed").id
            var events: [EventStream.Event] = []
            try await EventStream.read("\(server.url)/api/1/composes/\(id)/events") { event in
                if event != .open { events.append(event) }
                return true
            }
            #expect(events.last?.name == "end" && events.last?.id == "end")
            #expect(events.filter { $0.name == "state-changed" }.last?.data.contains("\"state_name\":\"done\"") == true)
            let log = events.filter { $0.name == "log" }.map(\.data).joined(separator: "\n")
            let document = try await server.compose(id)
            let file = try await server.http(.GET, "\(document.toplevelURL)/pungi-stderr.log").text
            #expect(log + "\n" == file)

            // A reader that was cut off after some event gets exactly the others.
            for (index, event) in events.dropLast().enumerated() {
                var rest: [EventStream.Event] = []
                try await EventStream.read("\(server.url)/api/1/composes/\(id)/events", after: event.id) { event in
                    if event != .open { rest.append(event) }
                    return true
                }
                let lines = { (some: [EventStream.Event]) in some.filter { $0.name == "log" }.flatMap { $0.data.split(separator: "\n") } }
                #expect(lines(rest) == lines(Array(events[(index + 1)...])))
                let changes = { (some: [EventStream.Event]) in some.filter { $0.name == "state-changed" }.map(\.id) }
                #expect(changes(rest).count == changes(Array(events[(index + 1)...])).count)
                #expect(rest.last?.name == "end")
            }
            let ended = try await server.http(.GET, "/api/1/composes/\(id)/events", headers: [("Last-Event-ID", "end")])
            #expect(ended.status == 204)
        }
    }

    @Test("a reader that reads nothing loses its place, and does not hold up the end of the service")
    func readsNothing() async throws {
        try await TestService.running(more: "events: {max_streams: 1}") { service, server in
            let compose = try await server.compose("repo", Self.repository, "libed-data")
            // More than the buffers of both sides hold.
            let log = service.composes.appending("odcs-\(compose.id)/pungi-stderr.log")
            let file = try FileHandle(forWritingTo: URL(filePath: log.string))
            try file.seekToEnd()
            try file.write(contentsOf: Data(repeating: UInt8(ascii: "x"), count: 64 << 20))
            try file.close()
            var request = HTTPClientRequest(url: "\(server.url)/api/1/composes/\(compose.id)/events")
            request.headers.add(name: "Accept", value: "text/event-stream")
            // The client reads no more while nobody reads the body.
            let silent = try await EventStream.client.execute(request, timeout: .minutes(3))
            #expect(silent.status == .ok)
            var refusals = 0
            while true {
                do {
                    try await EventStream.read("\(server.url)/api/1/events") { _ in false }
                    break
                } catch let refused as EventStream.Refused {
                    #expect(refused.status == 429)
                    refusals += 1
                }
            }
            #expect(refusals > 0)
            _ = silent
        }
    }

    @Test("a request for a compose waits until it has ended, or until it has another state")
    func waiting() async throws {
        try await GatedRepository.with(Checkout.testsRepo, holding: "ed-1.20-3.x86_64.rpm") { repository in
            try await TestService.running(urls: [repository.url]) { service, server in
                let id = try await server.submit("repo", repository.url, "ed").id
                func wait(_ query: String) async throws -> String {
                    let answer = try await server.http(.GET, "/api/1/composes/\(id)?\(query)")
                    return try JSONDecoder().decode(ComposeDocument.self, from: answer.body).stateName
                }
                #expect(try await wait("wait=60&while=wait") == "generating")
                _ = await repository.wasAsked.value
                async let final = wait("wait=60")
                async let command = server.odcs("wait", "\(id)")
                #expect(try await wait("wait=1") == "generating")
                await repository.gate.send(())
                #expect(try await final == "done")
                #expect(try await command.status == 0)
                #expect(try await wait("wait=60") == "done")
                #expect(try await server.http(.GET, "/api/1/composes/\(id)?wait=soon").status == 400)
                #expect(try await server.http(.GET, "/api/1/composes/\(id)?wait=5&while=asleep").status == 400)
            }
        }
    }

    @Test("pages of events follow each other, wait for the next one, and are chosen by filters")
    func pages() async throws {
        try await TestService.running { service, server in
            let start = try await page("", server)
            #expect(start.events.isEmpty && start.next == 0)
            async let next = page("after=0&wait=60&state=done", server)
            let done = try await server.compose("repo", Self.repository, "libed-data")
            #expect(try await next.changes == ["\(done.id) done"])
            var position = 0
            var changes: [String] = []
            while changes.count < 3 {
                let page = try await page("after=\(position)&limit=1", server)
                changes += page.changes
                position = page.next
            }
            #expect(changes == ["1 wait", "1 generating", "1 done"])
            #expect(try await page("after=0&owner=nobody", server).events.isEmpty)
            #expect(try await page("after=0&compose=1&state=generating&source_type=repo", server).changes == ["1 generating"])
        }
    }

    @Test("a position that is no number, too old or in the future is answered with what helps")
    func badPositions() async throws {
        try await TestService.running { service, server in
            _ = try await server.compose("repo", Self.repository, "libed-data")
            for id in ["x", "-1", "1.5", "999999999999999999999"] {
                let answer = try await server.http(
                    .GET, "/api/1/events", headers: [("Accept", "text/event-stream"), ("Last-Event-ID", id)])
                #expect(answer.status == 400)
                #expect(try answer.message.hasPrefix("Last-Event-ID must be the id of an event of this stream"))
            }
            #expect(try await server.http(.GET, "/api/1/events?after=many").status == 400)
            let future = try await server.http(.GET, "/api/1/events?after=900")
            #expect(future.status == 400)
            #expect(try future.message == "after is 900, but the last event is 3. Ask without it to begin with the next event.")
            let header = try await server.http(.GET, "/api/1/events", headers: [("Last-Event-ID", "900")])
            #expect(try header.message.hasPrefix("Last-Event-ID is 900, but the last event is 3."))
            for bad in ["x-1-2", "1-2", "-1-2-3", "1-2-3-4"] {
                #expect(try await server.http(.GET, "/api/1/composes/1/events", headers: [("Last-Event-ID", bad)]).status == 400)
            }
            #expect(try await server.http(.GET, "/api/1/composes/99/events").status == 404)

            _ = try await service.database.pool.query("UPDATE events SET published_at = now() - interval '8 days' WHERE position < 3")
            try await service.store.pruneEvents(olderThan: .seconds(7 * 86_400))
            let old = try await server.http(.GET, "/api/1/events?after=1")
            #expect(old.status == 410)
            #expect(try old.message.contains("after=2"))
            for id in ["1", "900"] {
                try await EventStream.read("\(server.url)/api/1/events", after: id) { event in
                    if event == .open { return true }
                    #expect(event == .init(id: "3", name: "reset", data: "{\"next\": 3}"))
                    return false
                }
            }
            // A reader of another database, or of a deleted event, begins with the compose as it is.
            try await EventStream.read("\(server.url)/api/1/composes/1/events", after: "900-1-0") { event in
                if event == .open { return true }
                #expect(event.name == "state-changed" && event.id == "3-1-0")
                return false
            }
        }
    }
}

/// The ids of the events that each reader has seen, in the order in which it saw them.
private final class SeenEvents: Sendable {
    private let ids: Mutex<[[Int]]>

    init(_ readers: Int) { ids = Mutex(Array(repeating: [], count: readers)) }

    var all: [[Int]] { ids.withLock(\.self) }

    func last(of reader: Int) -> Int? { ids.withLock { $0[reader].last } }

    func add(_ id: String, by reader: Int) { ids.withLock { $0[reader].append(Int(id) ?? 0) } }
}
