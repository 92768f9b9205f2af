import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

/// Events whose stored object this program cannot read.
@Suite struct UnreadableEventTests {
    @Test(
        "an event that cannot be read is there as unreadable, and holds up no other",
        arguments: [
            // A state of a newer program, a value of another type, and a request that is none.
            "jsonb_set(compose, '{state}', '99')", "jsonb_set(compose, '{state}', '\"asleep\"')",
            "jsonb_set(compose, '{request}', '{\"sources\": 7}')",
        ])
    func unreadable(damaged: String) async throws {
        try await TestDatabase.with { database in
            for _ in 0..<3 { _ = try await database.store.submit(.repo(), owner: "me") }
            try await database.store.sequenceEvents()
            _ = try await database.pool.query("UPDATE events SET compose = \(fragment: SQL(stringLiteral: damaged)) WHERE position = 2")
            let events = try await database.store.events(after: 0, limit: 10)
            #expect(events.map(\.position) == [1, 2, 3])
            #expect(events.map(\.object) == [.compose(1), .compose(2), .compose(3)])
            guard case .unreadable(.compose(2), let problem) = events[1].subject else {
                Issue.record("\(events[1].subject)")
                return
            }
            #expect(problem.hasPrefix("The event cannot be read: "))
            #expect(try await database.store.message(of: events[1]) { _ in "" } == nil)
            #expect(try await database.store.message(of: events[2]) { _ in "" }?.compose?.id == 3)
        }
    }

    @Test("an unreadable event meets the conditions of a filter that nobody can know")
    func filter() {
        let event = StoredEvent(id: 1, position: 1, subject: .unreadable(.compose(2), problem: "It is damaged."))
        var filter = EventFilter()
        #expect(filter.matches(event))
        filter.owners = ["me"]
        filter.states = ["done"]
        #expect(filter.matches(event))
        filter.compose = 3
        #expect(!filter.matches(event))
        #expect(!EventFilter(kinds: [.tokens]).matches(event))
    }
}
