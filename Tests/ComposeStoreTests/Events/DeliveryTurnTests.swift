import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

/// Each subscriber has a cursor, pauses and dead letters of its own.
@Suite struct DeliveryTurnTests {
    private static let length = Duration.seconds(60)

    /// Stores composes, and registers subscribers before.
    private func submit(_ count: Int, for names: String..., in database: TestDatabase) async throws {
        try await database.store.registerSubscribers(names)
        for _ in 0..<count { _ = try await database.store.submit(.repo(), owner: "me") }
        try await database.store.sequenceEvents()
    }

    private func turn(_ name: String, _ database: TestDatabase, limit: Int = 100) async throws -> DeliveryTurn? {
        try await database.store.takeDeliveryTurn(to: name, for: Self.length, limit: limit)
    }

    private func subscriber(_ name: String, _ database: TestDatabase) async throws -> Subscriber {
        try #require(try await database.store.subscribers().first { $0.name == name })
    }

    private func done(_ positions: Int...) -> DeliveryReport {
        var report = DeliveryReport()
        report.done = Set(positions)
        report.taken = positions.count
        return report
    }

    private func failed(_ problem: String = "It answered 503.", pause: Duration = .zero, at position: Int? = nil, done: Set<Int> = [])
        -> DeliveryReport
    {
        var report = DeliveryReport()
        report.done = done
        report.failure = .init(problem: problem, pause: pause, position: position)
        return report
    }

    @Test("a turn is one worker's; no transaction is open meanwhile; the next turn goes on behind what is done")
    func oneAtATime() async throws {
        try await TestDatabase.with { database in
            try await submit(3, for: "a", in: database)
            let first = try #require(try await turn("a", database))
            #expect(first.events.map(\.position) == [1, 2, 3])
            #expect(try await turn("a", database) == nil)
            #expect(try await database.pool.query("SELECT id FROM events FOR UPDATE NOWAIT").count == 3)
            try await database.store.end(first, with: done(1, 2))
            #expect(try await turn("a", database)?.events.map(\.position) == [3])
        }
    }

    @Test("what was delivered out of order is not delivered again, and the cursor waits for the rest")
    func ahead() async throws {
        try await TestDatabase.with { database in
            try await submit(4, for: "a", in: database)
            let first = try #require(try await turn("a", database))
            try await database.store.end(first, with: failed(at: 1, done: [2, 4]))
            #expect(try await subscriber("a", database).position == 0)
            let second = try #require(try await turn("a", database))
            #expect(second.events.map(\.position) == [1, 3])
            #expect(second.refused?.position == 1 && second.refused?.times == 1)
            try await database.store.end(second, with: done(1, 3))
            #expect(try await subscriber("a", database).position == 4)
            #expect(try await turn("a", database) == nil)
        }
    }

    @Test("a subscriber that rests, is paused or is behind delays no other")
    func independent() async throws {
        try await TestDatabase.with { database in
            try await submit(2, for: "dead", "well", in: database)
            let dead = try #require(try await turn("dead", database))
            try await database.store.end(dead, with: failed("It could not be reached.", pause: .seconds(100)))
            #expect(try await turn("dead", database) == nil)
            let well = try #require(try await turn("well", database))
            try await database.store.end(well, with: done(1, 2))
            let shown = try await subscriber("dead", database)
            #expect(shown.behind == 2 && shown.failures == 1 && shown.problem == "It could not be reached." && shown.retryAt != nil)
            #expect(shown.lagSeconds > 0)
            let other = try await subscriber("well", database)
            #expect(other.behind == 0 && other.failures == 0 && other.problem == nil && other.lagSeconds == 0)
            #expect(try await database.store.replay(shown.id) == 0)
            #expect(try await turn("dead", database)?.events.map(\.position) == [1, 2])
        }
    }

    @Test("a worker that lost its turn moves no cursor")
    func lost() async throws {
        try await TestDatabase.with { database in
            try await submit(2, for: "a", in: database)
            let first = try #require(try await database.store.takeDeliveryTurn(to: "a", for: .zero))
            let second = try #require(try await turn("a", database))
            try await database.store.end(first, with: done(1, 2))
            #expect(try await subscriber("a", database).position == 0)
            try await database.store.end(second, with: done(1))
            #expect(try await subscriber("a", database).position == 1)
        }
    }

    @Test("a refused event is a dead letter, is sent again when a person asks for it, and is gone when it is taken")
    func deadLetters() async throws {
        try await TestDatabase.with { database in
            try await submit(2, for: "a", in: database)
            var report = done(2)
            report.dead = [1: ("It answered 400.", 1)]
            try await database.store.end(try #require(try await turn("a", database)), with: report)
            let id = try await subscriber("a", database).id
            #expect(try await subscriber("a", database).deadLetters == 1)
            let letters = try await database.store.deadLetters(of: id)
            #expect(letters.map(\.problem) == ["It answered 400."] && letters[0].event?.position == 1)
            #expect(try await turn("a", database) == nil)

            #expect(try await database.store.replay(id) == 1)
            let again = try #require(try await turn("a", database))
            #expect(again.events.isEmpty && again.replays.map(\.event.position) == [1])
            var refused = DeliveryReport()
            refused.stillDead = [again.replays[0].letter: "It answered 422."]
            try await database.store.end(again, with: refused)
            #expect(try await database.store.deadLetters(of: id).map(\.problem) == ["It answered 422."])
            #expect(try await database.store.deadLetters(of: id).map(\.attempts) == [2])

            #expect(try await database.store.replay(id) == 1)
            let last = try #require(try await turn("a", database))
            var taken = DeliveryReport()
            taken.replayed = [last.replays[0].letter]
            try await database.store.end(last, with: taken)
            #expect(try await database.store.deadLetters(of: id).isEmpty)
        }
    }

    @Test("a person can have events sent again from a position on, also while they are being delivered")
    func replay() async throws {
        try await TestDatabase.with { database in
            try await submit(3, for: "a", in: database)
            try await database.store.end(try #require(try await turn("a", database)), with: done(1, 2, 3))
            let id = try await subscriber("a", database).id
            _ = try await database.store.submit(.repo(), owner: "me")
            try await database.store.sequenceEvents()
            let open = try #require(try await turn("a", database))
            #expect(try await database.store.replay(id, after: 1) == 0)
            try await database.store.end(open, with: done(4))
            #expect(try await turn("a", database)?.events.map(\.position) == [2, 3, 4])
            #expect(try await database.store.replay(999) == nil)
        }
    }

    @Test("failures in a row count from the last event that was taken, and those of one event go on")
    func rows() async throws {
        try await TestDatabase.with { database in
            try await submit(6, for: "a", in: database)
            /// Ends a turn in which the subscriber takes events and refuses one. Returns the failures in a row.
            func failures(at position: Int?, taking taken: Set<Int> = []) async throws -> Int {
                var report = failed(at: position, done: taken)
                report.taken = taken.count
                try await database.store.end(try #require(try await turn("a", database)), with: report)
                return try await subscriber("a", database).failures
            }
            #expect(try await failures(at: 1) == 1)
            #expect(try await failures(at: 1) == 2)
            #expect(try await failures(at: 1, taking: [2]) == 3)
            #expect(try await failures(at: 3, taking: [1]) == 1)
            #expect(try await failures(at: nil) == 2)
            #expect(try await failures(at: nil, taking: [3]) == 1)
            try await database.store.end(try #require(try await turn("a", database)), with: done(4, 5, 6))
            #expect(try await subscriber("a", database).failures == 0)
        }
    }

    @Test("a turn that ends without an answer, because the worker stops, says nothing about the subscriber")
    func stopped() async throws {
        try await TestDatabase.with { database in
            try await submit(1, for: "a", in: database)
            try await database.store.end(try #require(try await turn("a", database)), with: failed(at: 1))
            let stopped = try #require(try await turn("a", database))
            #expect(stopped.failures == 1)
            try await database.store.end(stopped, with: DeliveryReport())
            let next = try #require(try await turn("a", database))
            #expect(next.failures == 1 && next.refused?.position == 1)
            #expect(try await subscriber("a", database).problem == "It answered 503.")
            try await database.store.end(next, with: done(1))
            #expect(try await subscriber("a", database).problem == nil)
        }
    }

    @Test("events that are deleted are not sent again, and do not count as lost")
    func replayOfDeleted() async throws {
        try await TestDatabase.with { database in
            try await submit(3, for: "a", in: database)
            try await database.store.end(try #require(try await turn("a", database)), with: done(1, 2, 3))
            _ = try await database.pool.query("UPDATE events SET published_at = now() - interval '8 days' WHERE position <= 2")
            try await database.store.pruneEvents(olderThan: .seconds(7 * 86_400))
            let id = try await subscriber("a", database).id
            #expect(try await database.store.replay(id) == 0)
            #expect(try await turn("a", database) == nil, "nothing but dead letters was asked for")
            #expect(try await database.store.replay(id, after: 0) == 0)
            #expect(try await turn("a", database)?.events.map(\.position) == [3])
            #expect(try await database.store.deadLetters(of: id).isEmpty)
        }
    }

    @Test("an event that is deleted while it is delivered becomes no dead letter, and the turn ends")
    func deletedMeanwhile() async throws {
        try await TestDatabase.with { database in
            try await submit(1, for: "a", in: database)
            let open = try #require(try await turn("a", database))
            _ = try await database.pool.query("UPDATE events SET published_at = now() - interval '8 days'")
            try await database.store.pruneEvents(olderThan: .seconds(7 * 86_400))
            var report = DeliveryReport()
            report.dead = [1: ("It answered 400.", 1)]
            try await database.store.end(open, with: report)
            #expect(try await subscriber("a", database).position == 1)
            #expect(try await subscriber("a", database).deadLetters == 0)
        }
    }

    @Test("a paused subscriber gets nothing until it is resumed, and a gone one pauses itself")
    func paused() async throws {
        try await TestDatabase.with { database in
            try await submit(1, for: "a", in: database)
            var gone = DeliveryReport()
            gone.end = "It answered 410."
            try await database.store.end(try #require(try await turn("a", database)), with: gone)
            let id = try await subscriber("a", database).id
            #expect(try await subscriber("a", database).pausedAt != nil)
            #expect(try await subscriber("a", database).problem == "It answered 410.")
            #expect(try await turn("a", database) == nil)
            #expect(try await database.store.pause(id, false))
            #expect(try await turn("a", database)?.events.count == 1)
            #expect(try await database.store.pause(999, true) == false)
        }
    }

    @Test("a subscriber that was away for too long gets what is left, and one dead letter says how many events it lost")
    func away() async throws {
        try await TestDatabase.with { database in
            try await submit(5, for: "a", in: database)
            _ = try await database.pool.query("UPDATE events SET published_at = now() - interval '8 days' WHERE position <= 3")
            try await database.store.pruneEvents(olderThan: .seconds(7 * 86_400))
            let turn = try #require(try await turn("a", database))
            #expect(turn.events.map(\.position) == [4, 5])
            try await database.store.end(turn, with: done(4, 5))
            let letters = try await database.store.deadLetters(of: try await subscriber("a", database).id)
            #expect(letters.map(\.lost) == [3])
        }
    }

    @Test("the first subscribers of a database get the events from before; one that comes later begins with the next event")
    func begins() async throws {
        try await TestDatabase.with { database in
            _ = try await database.store.submit(.repo(), owner: "me")
            try await database.store.sequenceEvents()
            try await database.store.registerSubscribers(["first"])
            try await database.store.registerSubscribers(["first", "later"])
            #expect(try await turn("first", database)?.events.map(\.position) == [1])
            #expect(try await turn("later", database) == nil)
            _ = try await database.store.submit(.repo(), owner: "me")
            try await database.store.sequenceEvents()
            #expect(try await turn("later", database)?.events.map(\.position) == [2])
        }
    }

    @Test("more events than fit into one turn follow in the next one")
    func limit() async throws {
        try await TestDatabase.with { database in
            try await submit(5, for: "a", in: database)
            let first = try #require(try await turn("a", database, limit: 2))
            #expect(first.isFull && first.events.map(\.position) == [1, 2])
            try await database.store.end(first, with: done(1, 2))
            #expect(try await turn("a", database, limit: 3)?.events.map(\.position) == [3, 4, 5])
        }
    }

    @Test("a filter chooses by owner, state, source type and compose, and builds and tokens only if they are asked for")
    func filter() async throws {
        try await TestDatabase.with { database in
            _ = try await database.store.submit(.repo(), owner: "me")
            _ = try await database.store.submit(.tag(), owner: "you")
            _ = try await database.store.claim(by: "w", for: .seconds(60))
            try await database.store.sequenceEvents()
            let events = try await database.store.events(after: 0, limit: 10)
            func chosen(_ change: (inout EventFilter) -> Void) -> [Int] {
                var filter = EventFilter()
                change(&filter)
                return events.filter(filter.matches).map(\.position)
            }
            #expect(chosen { _ in } == [1, 2, 3])
            #expect(chosen { $0.owners = ["you"] } == [2])
            #expect(chosen { $0.states = ["generating"] } == [3])
            #expect(chosen { $0.sourceTypes = [.tag] } == [2])
            #expect(chosen { $0.compose = 1 } == [1, 3])
            #expect(chosen { $0.watch = 1 } == [])
            #expect(chosen { $0.kinds = [.tokens] } == [])
        }
    }
}
