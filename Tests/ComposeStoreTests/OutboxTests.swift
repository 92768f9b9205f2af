import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Synchronization
import Testing

@testable import ComposeStore

/// Transitions are told by one process at a time, and none of them is lost when that one stops.
@Suite struct OutboxTests {
    private func submit(_ count: Int, to store: ComposeStore) async throws {
        for _ in 0..<count { _ = try await store.submit(.repo(), owner: "me") }
    }

    @Test("while one publishes nobody else does; no transaction is open meanwhile, and the next one goes on where it ended")
    func oneAtATime() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            try await submit(3, to: store)
            let told = Mutex<[Int]>([])
            let delivered = try await store.publish(limit: 10) { change in
                // What this would wait for if the publisher held locks on the events, or their rows.
                let isFree = try? await database.pool.query("SELECT id FROM events FOR UPDATE NOWAIT").count == 3
                let others = try? await store.publish(limit: 10) { _ in true }
                #expect(isFree == true)
                #expect(others == 0)
                told.withLock { $0.append(change.compose.id) }
                return told.withLock(\.count) < 3
            }
            #expect(delivered == 2)
            #expect(told.withLock(\.self) == [1, 2, 3])
            #expect(try await store.publish(limit: 10) { $0.compose.id == 3 } == 1)
            #expect(try await store.publish(limit: 10) { _ in true } == 0)
        }
    }

    @Test("a publisher that stops in the middle is followed by another one when its turn is over, and tells nothing more afterwards")
    func stopped() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            try await submit(3, to: store)
            let (gates, gate) = AsyncStream.makeStream(of: Void.self)
            let (begins, began) = AsyncStream.makeStream(of: Void.self)
            let first = Task {
                try await store.publish(limit: 10, turn: .milliseconds(1)) { _ in
                    began.yield()
                    for await _ in gates { break }
                    return true
                }
            }
            for await _ in begins { break }
            var told: [Int] = []
            let heard = Mutex<[Int]>([])
            while told.isEmpty {
                _ = try await store.publish(limit: 10) { change in
                    heard.withLock { $0.append(change.compose.id) }
                    return true
                }
                told = heard.withLock(\.self)
            }
            #expect(told == [1, 2, 3])
            gate.finish()
            #expect(try await first.value == 1)
        }
    }

    @Test("what was told before the work was cancelled is not told again")
    func cancelled() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            try await submit(2, to: store)
            let (begins, began) = AsyncStream.makeStream(of: Void.self)
            let work = Task {
                try await store.publish(limit: 10) { change in
                    if change.compose.id == 1 { return true }
                    began.yield()
                    while !Task.isCancelled { await Task.yield() }
                    return false
                }
            }
            for await _ in begins { break }
            work.cancel()
            _ = await work.result
            let heard = Mutex<[Int]>([])
            _ = try await store.publish(limit: 10) { change in
                heard.withLock { $0.append(change.compose.id) }
                return true
            }
            #expect(heard.withLock(\.self) == [2])
        }
    }
}
