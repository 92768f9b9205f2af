import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import HTTPTypes
import ImageModel
import Postgres
import Testing

@testable import ComposeFrontend

/// The events in the memory of a frontend, and the streams that are made of them.
@Suite(.timeLimit(.minutes(5))) struct EventFeedTests {
    /// Runs `body` with a feed that runs, and a source of notifications.
    private func with(
        _ database: TestDatabase, _ body: (EventFeed, AsyncStream<PostgresNotification>.Continuation) async throws -> Void
    ) async throws {
        let (notifications, notify) = AsyncStream.makeStream(of: PostgresNotification.self)
        let feed = EventFeed(store: database.store, logger: .silent) { notifications }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await feed.run() }
            defer { group.cancelAll() }
            try await body(feed, notify)
        }
    }

    private func submit(_ count: Int, _ database: TestDatabase) async throws {
        for _ in 0..<count { _ = try await database.store.submit(.repo(), owner: "me") }
        try await database.store.sequenceEvents()
    }

    /// Reads events as a stream does, until the position is reached. Returns the positions.
    private func read(_ feed: EventFeed, after start: Int, to end: Int, compose: Int? = nil) async throws -> [Int] {
        var filter = EventFilter()
        filter.compose = compose
        let chosen = filter
        return try await feed.withWakes(of: compose.map(StoredEvent.Object.compose), lasting: .seconds(240)) { wakes in
            var positions: [Int] = []
            var position = start
            for await _ in wakes {
                var batch: EventFeed.Batch
                repeat {
                    batch = try await feed.events(after: position, roughly: chosen)
                    positions += batch.events.filter(chosen.matches).map(\.position)
                    position = batch.end
                } while batch.hasMore
                if position >= end { break }
            }
            return positions
        }
    }

    @Test("a reader gets what it has not, from memory or from the database, also if old events are deleted in between")
    func gaps() async throws {
        try await TestDatabase.with { database in
            try await with(database) { feed, notify in
                try await submit(3, database)
                #expect(try await read(feed, after: 0, to: 3) == [1, 2, 3])
                _ = try await feed.withWakes(lasting: .seconds(240)) { wakes in
                    for await _ in wakes where feed.knownTo == 3 { break }
                    try await submit(9, database)
                    _ = try await database.pool.query("DELETE FROM events WHERE position IN (4, 5, 9)")
                    notify.yield(.notified(payload: "events 12"))
                    for await _ in wakes where feed.knownTo == 12 { break }
                    for (start, rest) in [(0, [1, 2, 3, 6]), (3, [6]), (4, [6]), (6, []), (9, []), (12, []), (20, [])] {
                        let expected = start >= 12 ? [] : (rest + [7, 8, 10, 11, 12])
                        let batch = try await feed.events(after: start, roughly: EventFilter())
                        #expect(batch.events.map(\.position) == expected.filter { $0 > start }, "after \(start)")
                        #expect(batch.end == max(start, 12) && !batch.hasMore)
                    }
                }
            }
        }
    }

    @Test("a reader of one compose gets its events, however many others there are")
    func oneCompose() async throws {
        try await TestDatabase.with { database in
            try await with(database) { feed, _ in
                try await submit(1200, database)
                _ = try await database.store.delete(7, by: Actor(name: "me", isAdmin: false))
                try await database.store.sequenceEvents()
                // These are in the database only: the feed begins with the last few hundred.
                let batch = try await feed.events(after: 0, roughly: EventFilter())
                #expect(batch.events.map(\.position) == Array(1...100) && batch.end == 100 && batch.hasMore)
                #expect(try await read(feed, after: 0, to: 1201, compose: 7) == [7, 1201])
                #expect(try await read(feed, after: 0, to: 1201) == Array(1...1201))
                #expect(try await read(feed, after: 1100, to: 1201) == Array(1101...1201))
            }
        }
    }

    @Test("long requests leave the memory early, and readers get them from the database")
    func longRequests() async throws {
        try await TestDatabase.with { database in
            try await with(database) { feed, notify in
                _ = try await feed.withWakes(lasting: .seconds(240)) { wakes in
                    for await _ in wakes where feed.knownTo == 0 { break }
                    var long = ComposeRequest.repo()
                    long.packages = (0..<9000).map { "package-\($0)" }
                    for _ in 0..<15 { _ = try await database.store.submit(long, owner: "me") }
                    try await database.store.sequenceEvents()
                    notify.yield(.notified(payload: "events 15"))
                    for await _ in wakes where feed.knownTo == 15 { break }
                    for start in [0, 4, 14] {
                        let batch = try await feed.events(after: start, roughly: EventFilter())
                        #expect(batch.events.map(\.position) == Array((start + 1)...15))
                    }
                }
            }
        }
    }

    @Test("a reader that continues the stream of a compose gets the change that it missed, even if it has no position yet")
    func missedChange() async throws {
        try await FrontendFixture.with { frontend in
            let store = frontend.database.store
            let id = try await store.submit(.repo(), owner: "me").id
            try await store.sequenceEvents()
            _ = try await store.delete(id, by: Actor(name: "me", isAdmin: false))
            var headers = HTTPFields()
            headers[.lastEventID] = "1-\(id)-0"
            let stream = try await frontend.get("/api/1/composes/\(id)/events", headers: headers).text
            #expect(stream.contains("id: 2-\(id)-0\nevent: state-changed\n"))
            #expect(stream.contains("\"state_name\":\"failed\""))
            #expect(stream.hasSuffix("id: end\nevent: end\ndata: {\"state\": \"failed\"}\n\n"))
            headers[.lastEventID] = "2-\(id)-0"
            #expect(try await frontend.get("/api/1/composes/\(id)/events", headers: headers).text.contains("state-changed") == false)
        }
    }

    @Test("a request for a build waits until it has ended, and not longer than it asks for")
    func builds() async throws {
        try await TestDatabase.with { database in
            try await with(database) { feed, notify in
                let store = database.store
                let definition = ImageDefinition(source: .containerfile("FROM scratch\n"), platforms: [.host])
                let owner = Actor(name: "me", isAdmin: false)
                let repository = try ImageReference("registry.example.org/team/web").repository
                _ = try await store.addImage(repository, as: definition, by: owner)
                let image = try #require(try await store.image(named: repository))
                let build = try await store.submitBuild(
                    of: image.id, BuildRequest(definition), owner: "me", dateTag: ImageTag("20261129")
                ).id
                func hasEnded() async throws -> Bool { try await store.build(build)?.state.isFinal ?? true }
                try await feed.wait(for: .build(build), as: "me", atMost: .milliseconds(1), until: hasEnded)
                #expect(try await !hasEnded())
                let (looks, look) = AsyncStream.makeStream(of: Bool.self)
                async let ended: Void = feed.wait(for: .build(build), as: "me", atMost: .seconds(240)) {
                    let ended = try await hasEnded()
                    look.yield(ended)
                    return ended
                }
                var looked = looks.makeAsyncIterator()
                // The look before the wait, and the first one of the wait.
                #expect(await looked.next() == false)
                #expect(await looked.next() == false)
                _ = try await store.cancelBuild(build, by: owner)
                try await store.sequenceEvents()
                notify.yield(.notified(payload: "events 2"))
                try await ended
                #expect(feed.openPlaces == 0)
            }
        }
    }

    @Test("a log with line ends of any kind cannot write lines of the stream itself")
    func lineEnds() async throws {
        try await FrontendFixture.with { frontend in
            let store = frontend.database.store
            let id = try await store.submit(.repo(), owner: "me").id
            _ = try await store.delete(id, by: Actor(name: "me", isAdmin: false))
            try await store.sequenceEvents()
            let log = "one\r\ntwo\rid: 5\n\nevent: end\u{2028}data: x\nlast\r\n"
            try frontend.write(log, to: "\(ComposeLayout(id: id).directory)/\(ComposeLayout.log)")
            let stream = try await frontend.get("/api/1/composes/\(id)/events").text
            let event = try #require(stream.split(separator: "\n\n").first { $0.contains("event: log") })
            #expect(
                event.split(separator: "\n").map(String.init) == [
                    "id: 2-\(id)-\(log.utf8.count)", "event: log", "data: one", "data: twoU+000Did: 5", "data: ",
                    "data: event: endU+2028data: x", "data: last",
                ])
            #expect(stream.hasSuffix("id: end\nevent: end\ndata: {\"state\": \"failed\"}\n\n"))
        }
    }
}
