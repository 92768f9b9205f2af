import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Synchronization
import Testing

@testable import ComposeStore

@Suite struct SharedWorkTests {
    private typealias Doubling = SharedWork<String, Int, Int>

    private struct Broken: Error, Equatable {}

    /// What was worked at together, and a gate that the first of it waits at.
    private final class Log: Sendable {
        let rounds = Mutex<[[Int]]>([])
        let gate = AsyncStream.makeStream(of: Void.self)

        func double(_ items: [Int]) async throws -> [Result<Int, any Error>] {
            let isFirst = rounds.withLock { rounds in
                rounds.append(items)
                return rounds.count == 1
            }
            if isFirst { for await _ in gate.stream { break } }
            try Task.checkCancellation()
            return items.map { $0 < 0 ? .failure(Broken()) : .success(2 * $0) }
        }
    }

    private func untilWaiting(_ count: Int, _ work: Doubling, _ key: String = "key") async {
        while work.waiting(key) < count { await Task.yield() }
    }

    private func untilBegun(_ log: Log) async {
        while log.rounds.withLock(\.isEmpty) { await Task.yield() }
    }

    @Test("who comes while work is under way goes with the others afterwards, each with an answer of its own")
    func together() async throws {
        let (work, log) = (Doubling(atOnce: 10), Log())
        async let first = work.answer("key", 1, work: log.double)
        await untilBegun(log)
        async let second = work.answer("key", 2, work: log.double)
        async let third = work.answer("key", 3, work: log.double)
        await untilWaiting(2, work)
        #expect(try await work.answer("another", 4, work: log.double) == 8)
        log.gate.continuation.finish()
        #expect(try await [first, second, third] == [2, 4, 6])
        #expect(log.rounds.withLock { $0.map { Set($0) } } == [[1], [4], [2, 3]])
        #expect(try await work.answer("key", 5, work: log.double) == 10)
    }

    @Test("no more than so many go at once, and nobody is left behind")
    func limited() async throws {
        let (work, log) = (Doubling(atOnce: 3), Log())
        let answers = try await withThrowingTaskGroup(of: Int.self) { group in
            group.addTask { try await work.answer("key", 0, work: log.double) }
            await untilBegun(log)
            for item in 1...8 { group.addTask { try await work.answer("key", item, work: log.double) } }
            await untilWaiting(8, work)
            log.gate.continuation.finish()
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.sorted() == (0...8).map { 2 * $0 })
        #expect(log.rounds.withLock { $0.map(\.count) } == [1, 3, 3, 2])
    }

    @Test("one that is cancelled while it works for others leaves their work to one of them")
    func canceledWorker() async throws {
        let (work, log) = (Doubling(atOnce: 10), Log())
        let first = Task { try await work.answer("key", 1, work: log.double) }
        await untilBegun(log)
        let gate = AsyncStream.makeStream(of: Void.self)
        let begun = AsyncStream.makeStream(of: Void.self)
        let second = Task {
            try await work.answer("key", 2) { items in
                begun.continuation.finish()
                for await _ in gate.stream {}
                try Task.checkCancellation()
                return items.map { _ in .success(0) }
            }
        }
        await untilWaiting(1, work)
        let third = Task { try await work.answer("key", 3, work: log.double) }
        await untilWaiting(2, work)
        log.gate.continuation.finish()
        #expect(try await first.value == 2)
        for await _ in begun.stream {}
        // The second works for itself and the third.
        second.cancel()
        gate.continuation.finish()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(try await third.value == 6)
        #expect(log.rounds.withLock { $0 } == [[1], [3]])
    }

    @Test("one that is cancelled in line leaves it at once")
    func canceledWaiter() async throws {
        let (work, log) = (Doubling(atOnce: 10), Log())
        async let first = work.answer("key", 1, work: log.double)
        await untilBegun(log)
        let second = Task { try await work.answer("key", 2, work: log.double) }
        await untilWaiting(1, work)
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        log.gate.continuation.finish()
        #expect(try await first == 2)
        #expect(log.rounds.withLock { $0 } == [[1]])
    }

    @Test("what fails of one item fails for that one alone")
    func failureOfOne() async throws {
        let (work, log) = (Doubling(atOnce: 10), Log())
        async let first = work.answer("key", 1, work: log.double)
        await untilBegun(log)
        let second = Task { try await work.answer("key", -2, work: log.double) }
        async let third = work.answer("key", 3, work: log.double)
        await untilWaiting(2, work)
        log.gate.continuation.finish()
        #expect(try await first == 2)
        #expect(try await third == 6)
        await #expect(throws: Broken.self) { try await second.value }
    }

    // MARK: In the store

    @Test("requests that come at the same time become composes of their own, and all are heard of")
    func submissionsAtOnce() async throws {
        try await TestDatabase.with { database in
            let names = (1...50).map { "package-\($0)" }
            let made = try await withThrowingTaskGroup(of: (String, Compose).self) { group in
                for name in names {
                    group.addTask { (name, try await database.store.submit(.repo([name]), owner: "owner of \(name)")) }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(made.map(\.1.id)).count == names.count)
            for (name, compose) in made {
                #expect(compose.owner == "owner of \(name)")
                #expect(compose.request.packages == [name])
                #expect(try await database.store.compose(compose.id) == compose)
            }
            let events = try await database.pool.query("SELECT count(DISTINCT compose_id) AS events FROM events WHERE state = 0")
            #expect(try events[0].decode(Int.self, "events") == names.count)
        }
    }

    @Test("a request that cannot be written down does not harm those that come with it")
    func badSubmission() async throws {
        try await TestDatabase.with { database in
            let outcomes = await withTaskGroup(of: (Int, Result<Compose, any Error>).self) { group in
                for number in 0..<20 {
                    group.addTask {
                        // Nothing of PostgreSQL's can hold NUL.
                        let owner = number % 7 == 3 ? "\0" : "\(number)"
                        do {
                            return (number, .success(try await database.store.submit(.repo(), owner: owner)))
                        } catch {
                            return (number, .failure(error))
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            for (number, outcome) in outcomes {
                if number % 7 == 3 {
                    #expect(throws: PostgresError.self) { try outcome.get() }
                } else {
                    let compose = try outcome.get()
                    #expect(compose.owner == "\(number)")
                }
            }
        }
    }

    @Test("composes that are asked for at the same time are each answered, and those that there are not as well")
    func lookupsAtOnce() async throws {
        try await TestDatabase.with { database in
            var ids: [Int] = []
            for _ in 0..<5 { ids.append(try await database.store.submit(.repo(), owner: "me").id) }
            try await withThrowingTaskGroup(of: (Int, Compose?).self) { group in
                for id in ids + ids + [ids[4] + 1000] { group.addTask { (id, try await database.store.compose(id)) } }
                for try await (id, compose) in group { #expect(compose?.id == (ids.contains(id) ? id : nil)) }
            }
        }
    }
}
