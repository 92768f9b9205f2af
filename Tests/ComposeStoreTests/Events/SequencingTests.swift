import ComposeModel
import ComposeTestKit
import Foundation
import ImageModel
import Postgres
import Synchronization
import Testing

@testable import ComposeStore

extension TestDatabase {
    /// The events that have positions, after one: `2 done` for compose 2 in the state done.
    func published(after position: Int = 0) async throws -> [String] {
        try await store.sequenceEvents()
        return try await store.events(after: position, limit: 10_000).map { event in
            switch event.subject {
            case .compose(let compose): "\(compose.id) \(compose.state.name)"
            case .build(let build): "build \(build.id) \(build.state.name)"
            case .token(let token): "token \(token.id)"
            case .unreadable(let object, _): "\(object) unreadable"
            }
        }
    }

    /// Runs `statement`, and returns the notifications that arrive until the one that this function sends.
    func notifications(during statement: () async throws -> Void) async throws -> [String] {
        let listener = PostgresListener(configuration: configuration, channels: [schema], logger: .silent)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listener.run() }
            defer { group.cancelAll() }
            var heard: [String] = []
            for await notification in listener.notifications(on: schema) {
                switch notification {
                case .reconnected:
                    try await statement()
                    _ = try await pool.query("SELECT pg_notify(\(schema), 'the end')")
                case .notified("the end"): return heard
                case .notified(let payload): heard.append(payload)
                }
            }
            throw CancellationError()
        }
    }
}

/// Every committed event gets a position. Positions have no gaps, and become visible in their order.
@Suite struct SequencingTests {
    @Test("events have no position until the sequencer gives one, and positions begin with 1 and have no gaps")
    func positions() async throws {
        try await TestDatabase.with { database in
            for _ in 0..<3 { _ = try await database.store.submit(.repo(), owner: "me") }
            #expect(try await database.store.events(after: 0, limit: 10).isEmpty)
            #expect(try await database.store.eventBounds() == EventBounds(last: 0, deletedTo: 0))
            #expect(try await database.store.sequenceEvents() == 3)
            #expect(try await database.store.events(after: 0, limit: 10).map(\.position) == [1, 2, 3])
            #expect(try await database.store.events(after: 2, limit: 10).map(\.position) == [3])
            #expect(try await database.store.sequenceEvents() == 0)
            #expect(try await database.store.eventBounds() == EventBounds(last: 3, deletedTo: 0))
        }
    }

    @Test("a change of state notifies nobody by itself; the sequencer notifies for it, and for its position")
    func notifications() async throws {
        try await TestDatabase.with { database in
            let submitted = try await database.notifications { _ = try await database.store.submit(.repo(), owner: "me") }
            #expect(submitted == ["0 1"], "an idle worker is woken at once")
            #expect(try await database.notifications { try await database.store.sequenceEvents() } == ["events 1"])
            let claimed = try await database.notifications { _ = try await database.store.claim(by: "w", for: .seconds(60)) }
            #expect(claimed == [])
            #expect(try await database.notifications { try await database.store.sequenceEvents() } == ["1 1", "events 2"])
        }
    }

    @Test("a reader that remembers a position misses no event of transactions that commit late, however many sequencers there are")
    func lateCommits() async throws {
        try await TestDatabase.with(size: 16) { database in
            let (writers, each) = (6, 12)
            let reading = Reading()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        while !reading.isOver.withLock(\.self) { try await database.store.sequenceEvents() }
                    }
                }
                group.addTask {
                    var last = 0
                    while true {
                        let wasOver = reading.isOver.withLock(\.self)
                        let events = try await database.store.events(after: last, limit: 50)
                        last = events.last?.position ?? last
                        reading.seen.withLock { $0 += events }
                        if wasOver, events.isEmpty { return }
                    }
                }
                try await withThrowingTaskGroup(of: Void.self) { writing in
                    for writer in 0..<writers {
                        writing.addTask {
                            for number in 0..<each {
                                // The event of the first compose gets its id, and others commit before it does.
                                try await database.pool.withTransaction { connection in
                                    _ = try await database.store.insert(.init(.repo(), owner: "w\(writer)"), on: connection)
                                    if number % 4 == 0 {
                                        _ = try await database.store.submit(.repo(), owner: "other")
                                    }
                                }
                            }
                        }
                    }
                    try await writing.waitForAll()
                }
                try await database.store.sequenceEvents()
                reading.isOver.withLock { $0 = true }
                try await group.waitForAll()
            }
            let count = try await database.pool.query("SELECT id FROM events").count
            #expect(count == writers * each + writers * each / 4)
            let events = reading.seen.withLock(\.self)
            #expect(events.map(\.position) == Array(1...count))
            #expect(Set(events.map(\.id)).count == count)
        }
    }

    @Test("the events of one compose have positions in the order of its transitions")
    func order() async throws {
        try await TestDatabase.with { database in
            let compose = try await database.store.submit(.repo(), owner: "me")
            for _ in 0..<3 {
                let lease = try #require(try await database.store.claim(by: "w", for: .seconds(60)))
                #expect(try await database.store.release(lease))
            }
            _ = try await database.store.delete(compose.id, by: Actor(name: "me", isAdmin: false))
            let round = ["1 generating", "1 wait"]
            #expect(try await database.published() == ["1 wait"] + round + round + round + ["1 failed"])
        }
    }

    @Test("every write that changes a state reports to the sequencer of its process")
    func reports() async throws {
        try await TestDatabase.with { database in
            var reports = database.store.eventReports().makeAsyncIterator()
            let store = database.store
            let id = try await store.submit(.repo(), owner: "me").id
            await reports.next()
            let lease = try #require(try await store.claim(by: "w", for: .seconds(60)))
            await reports.next()
            _ = try await store.release(lease)
            await reports.next()
            _ = try await store.delete(id, by: Actor(name: "me", isAdmin: false))
            await reports.next()
            // A worker without work reports nothing.
            #expect(try await store.claim(by: "w", for: .seconds(60)) == nil)
            #expect(try await database.published() == ["1 wait", "1 generating", "1 wait", "1 failed"])
        }
    }

    @Test("old events are deleted and remembered, but not those that are dead letters")
    func pruned() async throws {
        try await TestDatabase.with { database in
            for _ in 0..<4 { _ = try await database.store.submit(.repo(), owner: "me") }
            try await database.store.registerSubscribers(["hook"])
            try await database.store.sequenceEvents()
            let turn = try #require(try await database.store.takeDeliveryTurn(to: "hook", for: .seconds(60)))
            var report = DeliveryReport()
            report.dead = [2: ("It answered 400.", 1)]
            report.done = [1, 3]
            try await database.store.end(turn, with: report)
            _ = try await database.pool.query("UPDATE events SET published_at = now() - interval '8 days' WHERE position < 4")
            try await database.store.pruneEvents(olderThan: .seconds(7 * 86_400))
            #expect(try await database.store.events(after: 0, limit: 10).map(\.position) == [2, 4])
            #expect(try await database.store.eventBounds() == EventBounds(last: 4, deletedTo: 3))
            _ = try await database.pool.query("UPDATE dead_letters SET died_at = now() - interval '8 days'")
            try await database.store.pruneEvents(olderThan: .seconds(7 * 86_400))
            #expect(try await database.store.events(after: 0, limit: 10).map(\.position) == [4])
        }
    }
}

/// What a reader has seen, and whether the writers have ended.
private final class Reading: Sendable {
    let isOver = Mutex(false)
    let seen = Mutex<[StoredEvent]>([])
}
