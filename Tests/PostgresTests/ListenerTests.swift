import Foundation
import Postgres
import Retries
import ServiceLifecycle
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5)))
struct ListenerTests {
    /// Runs `body` while a listener runs, and ends the listener gracefully.
    private func withListener(
        channels: [String], lock: Int64? = nil, name: String = "\(UUID())", observing observer: PostgresListener.Observer? = nil,
        _ body: (PostgresListener, PostgresPool) async throws -> Void
    ) async throws {
        let pool = try await TestDatabase.pool()
        var configuration = pool.configuration
        configuration.applicationName = name
        let listener = PostgresListener(
            configuration: configuration, channels: channels, lock: lock, backoff: Backoff(first: .milliseconds(1), longest: .seconds(15)),
            logger: TestDatabase.logger)
        if let observer { listener.observe(channels[0], observer) }
        let group = ServiceGroup(configuration: .init(services: [listener], logger: TestDatabase.logger))
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            try await body(listener, pool)
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test("a reader is told when to look first, and then what is notified, in order")
    func readerIsToldWhenToLook() async throws {
        let channel = "it's a \"channel\""
        try await withListener(channels: [channel, "other"]) { listener, pool in
            var notifications = listener.notifications(on: channel).makeAsyncIterator()
            #expect(await notifications.next() == .reconnected)
            for number in 1...3 {
                _ = try await pool.query("SELECT pg_notify('other', 'not for us'), pg_notify(\(channel), \("job \(number)"))")
                #expect(await notifications.next() == .notified(payload: "job \(number)"))
            }
        }
    }

    @Test("a reader gets only the notifications that it wants, and is told to look all the same")
    func wanted() async throws {
        try await withListener(channels: ["wanted"]) { listener, pool in
            var notifications = listener.notifications(on: "wanted") { $0 == .notified(payload: "2") }.makeAsyncIterator()
            #expect(await notifications.next() == .reconnected)
            for number in [1, 2, 3, 2] { _ = try await pool.query("SELECT pg_notify('wanted', \("\(number)"))") }
            for _ in 1...2 { #expect(await notifications.next() == .notified(payload: "2")) }
        }
    }

    @Test("a reader that comes later is told to look, too")
    func readerThatComesLaterIsTold() async throws {
        try await withListener(channels: ["later"]) { listener, _ in
            var first = listener.notifications(on: "later").makeAsyncIterator()
            #expect(await first.next() == .reconnected)
            var second = listener.notifications(on: "later").makeAsyncIterator()
            #expect(await second.next() == .reconnected)
        }
    }

    private func isFree(_ lock: Int64, in pool: PostgresPool) async throws -> Bool {
        try await pool.query("SELECT pg_try_advisory_xact_lock(\(lock)) AS free")[0].decode(Bool.self, "free")
    }

    @Test("the lock of a listener is held while it listens, also after its session was ended, and free when it has ended")
    func lock() async throws {
        let (name, key) = ("\(UUID())", Int64.random(in: .min ... .max))
        try await withListener(channels: ["locked"], lock: key, name: name) { listener, pool in
            var notifications = listener.notifications(on: "locked").makeAsyncIterator()
            #expect(await notifications.next() == .reconnected)
            for _ in 1...2 {
                let isFree = try await isFree(key, in: pool)
                #expect(!isFree)
                _ = try await pool.terminateSessions(named: name)
                #expect(await notifications.next() == .reconnected)
            }
        }
        let pool = try await TestDatabase.pool()
        // The server notices the end of a connection a moment later.
        while try await !isFree(key, in: pool) { continue }
    }

    @Test("a listener whose session was ended listens again")
    func listenerWhoseSessionWasEndedListens() async throws {
        let name = "\(UUID())"
        try await withListener(channels: ["ended"], name: name) { listener, pool in
            var notifications = listener.notifications(on: "ended").makeAsyncIterator()
            for _ in 1...3 {
                #expect(await notifications.next() == .reconnected)
                #expect(try await pool.terminateSessions(named: name) == 1)
            }
            #expect(await notifications.next() == .reconnected)
            _ = try await pool.query("NOTIFY ended, 'after'")
            #expect(await notifications.next() == .notified(payload: "after"))
        }
    }

    @Test("readers that are cancelled at the moment they are told hold nothing up")
    func readersThatAreCancelledAtMoment() async throws {
        try await withListener(channels: ["crowd"]) { listener, pool in
            try await withThrowingTaskGroup { group in
                group.addTask {
                    while !Task.isCancelled {
                        _ = try await pool.query("SELECT pg_notify('crowd', n::text) FROM generate_series(1, 100) n")
                    }
                }
                for _ in 0..<500 {
                    let (arrivals, arrival) = AsyncStream.makeStream(of: Void.self)
                    await withTaskGroup { readers in
                        for _ in 0..<8 {
                            let notifications = listener.notifications(on: "crowd")
                            readers.addTask {
                                for await _ in notifications { arrival.yield() }
                            }
                        }
                        // They are in the midst of it.
                        for await _ in arrivals.prefix(40) {}
                        readers.cancelAll()
                    }
                }
                group.cancelAll()
                do { try await group.waitForAll() } catch is CancellationError {}
            }
        }
    }

    @Test("a caller that has caught up knows everything that was committed before, in whichever session")
    func callerThatHasCaughtUp() async throws {
        let seen = SeenTexts()
        try await withListener(
            channels: ["caught up"],
            observing: { notification in
                if case .notified(let payload) = notification { seen.texts.withLock { _ = $0.insert(payload) } }
            }
        ) { listener, pool in
            var notifications = listener.notifications(on: "caught up").makeAsyncIterator()
            #expect(await notifications.next() == .reconnected)
            try await withThrowingTaskGroup { tasks in
                for task in 0..<8 {
                    tasks.addTask {
                        for number in 0..<200 {
                            _ = try await pool.query("SELECT pg_notify('caught up', \("\(task) \(number)"))")
                            #expect(await listener.catchUp())
                            #expect(seen.texts.withLock { $0.contains("\(task) \(number)") })
                        }
                    }
                }
                try await tasks.waitForAll()
            }
        }
    }

    @Test("without a connection nobody catches up, and an observer is told when the listener listens again")
    func lostConnection() async throws {
        let name = "\(UUID())"
        let (told, tell) = AsyncStream.makeStream(of: PostgresNotification.self)
        var observed = told.makeAsyncIterator()
        try await withListener(channels: ["lost"], name: name, observing: { tell.yield($0) }) { listener, pool in
            #expect(await observed.next() == .reconnected)
            let ended = try await pool.terminateSessions(named: name)
            #expect(ended == 1)
            // Either the question is lost together with the session, or the next session answers it.
            if await listener.catchUp() { #expect(await observed.next() == .reconnected) }
        }
        #expect(try await idleListener().catchUp() == false)
    }

    private func idleListener() async throws -> PostgresListener {
        PostgresListener(configuration: try await TestDatabase.pool().configuration, channels: ["lost"], logger: TestDatabase.logger)
    }

    @Test("streams end with the listener")
    func streamsEndWithListener() async throws {
        var streams: [AsyncStream<PostgresNotification>] = []
        try await withListener(channels: ["c"]) { listener, _ in
            for _ in 1...2 { streams.append(listener.notifications(on: "c")) }
        }
        for stream in streams { for await _ in stream {} }
    }
}

/// The payloads that an observer has seen.
private final class SeenTexts: Sendable {
    let texts = Mutex(Set<String>())
}
