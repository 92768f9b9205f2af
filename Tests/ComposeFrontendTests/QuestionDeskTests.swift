import ComposeModel
import ComposeStore
import ComposeTestKit
import Testing

@testable import ComposeFrontend

/// The wait for the answer of a worker, and its end.
@Suite struct QuestionDeskTests {
    private func desk(_ database: TestDatabase, patience: Duration, forBegin: Duration) -> QuestionDesk {
        QuestionDesk(store: database.store, patience: patience, patienceForBegin: forBegin, logger: .silent) {
            AsyncStream { $0.finish() }
        }
    }

    @Test("a question that no worker takes is given up soon")
    func untaken() async throws {
        try await TestDatabase.with { database in
            // The patience is that for a worker that has begun.
            let outcome = try await desk(database, patience: .seconds(3600), forBegin: .zero).answer(of: .repo())
            #expect(outcome == .untaken)
        }
    }

    @Test("a worker that has begun goes on when the client has waited long enough")
    func unfinished() async throws {
        try await TestDatabase.with { database in
            async let outcome = desk(database, patience: .seconds(4), forBegin: .seconds(4)).answer(of: .repo())
            var taken: Question?
            while taken == nil { taken = try await database.store.takeQuestion(for: .seconds(60)) }
            #expect(try await outcome == .unfinished)
            let question = try #require(taken)
            #expect(try await database.store.keep(question, for: .seconds(60)))
        }
    }

    @Test("a request that is repeated takes the question on which a worker goes on, and asks no second one")
    func repeated() async throws {
        try await TestDatabase.with { database in
            let desk = desk(database, patience: .seconds(4), forBegin: .seconds(4))
            async let first = desk.answer(of: .repo())
            var taken: Question?
            while taken == nil { taken = try await database.store.takeQuestion(for: .seconds(60)) }
            let question = try #require(taken)
            let outcome = try await first
            #expect(outcome == .unfinished)
            async let second = desk.answer(of: .repo())
            try await database.store.answer(question, with: "{}")
            let answer = try await second
            #expect(answer == .answered("{}"))
            let other = try await database.store.takeQuestion(for: .seconds(60))
            #expect(other?.id == nil)
        }
    }
}
