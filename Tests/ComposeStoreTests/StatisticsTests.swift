import ComposeModel
import ComposeTestKit
import Postgres
import Testing

@testable import ComposeStore

/// The numbers that the metrics show.
@Suite struct StatisticsTests {
    private func counts(_ database: TestDatabase) async throws -> [String: Int] {
        let counts = try await database.store.statistics().counts
        return Dictionary(uniqueKeysWithValues: counts.map { ("\($0.sourceType.name) \($0.state.name)", $0.composes) })
    }

    @Test("composes are counted by source type and state, those that are removed as well")
    func counts() async throws {
        try await TestDatabase.with { database in
            for _ in 1...3 { _ = try await database.store.submit(.repo(), owner: "me") }
            var tag = ComposeRequest.repo()
            tag.sourceType = .tag
            let other = try await database.store.submit(tag, owner: "me").id
            #expect(try await counts(database) == ["repo wait": 3, "tag wait": 1])

            for id in [1, 2, other] {
                _ = try await database.store.delete(id, by: Actor(name: "root", isAdmin: true))
                _ = try await database.store.delete(id, by: Actor(name: "root", isAdmin: true))
            }
            #expect(try await counts(database) == ["repo failed": 2, "repo wait": 1, "tag failed": 1])
            #expect(try await database.store.expire(limit: 10).composes.count == 3)
            #expect(try await counts(database) == ["repo removed": 2, "repo wait": 1, "tag removed": 1])
        }
    }

    @Test("many composes that expire at once, by several expirers, are all counted")
    func concurrentExpiry() async throws {
        try await TestDatabase.with(size: 6) { database in
            for number in 1...60 {
                var request = ComposeRequest.repo()
                request.sourceType = SourceType.allCases[number % SourceType.allCases.count]
                let id = try await database.store.submit(request, owner: "me").id
                _ = try await database.store.delete(id, by: Actor(name: "root", isAdmin: true))
                _ = try await database.store.delete(id, by: Actor(name: "root", isAdmin: true))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...6 {
                    group.addTask { while try await !database.store.expire(limit: 7).composes.isEmpty {} }
                }
                try await group.waitForAll()
            }
            #expect(try await counts(database).values.reduce(0, +) == 60)
            #expect(try await counts(database).keys.allSatisfy { $0.hasSuffix(" removed") })
        }
    }

    @Test("what workers did adds up, also when they say so at the same time")
    func tallies() async throws {
        try await TestDatabase.with { database in
            #expect(try await database.store.workDone().isEmpty)
            var tally = WorkTally()
            tally.add(.pin, .milliseconds(50))
            tally.add(.pin, .milliseconds(100))
            tally.add(.pin, .seconds(2))
            tally.add(.write, .seconds(100_000))
            tally.add(.composeBuilt)
            tally.add(.metadataHit, times: 3)
            let once = tally
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...10 { group.addTask { try await database.store.record(once) } }
                try await group.waitForAll()
            }
            try await database.store.record(WorkTally())
            let done = try await database.store.workDone()
            #expect(done.events == [.composeBuilt: 10, .metadataHit: 30])
            let pin = try #require(done.phases[.pin])
            #expect(pin.times == 30)
            #expect(pin.times(upTo: 0.1) == 20)
            #expect(pin.times(upTo: 1) == 20)
            #expect(pin.times(upTo: 5) == 30)
            #expect(abs(pin.seconds - 21.5) < 0.001)
            let write = try #require(done.phases[.write])
            #expect(write.times(upTo: 3600) == 0)
            #expect(write.times(upTo: .infinity) == 10)
            #expect(done.phases[.fetch] == nil)
        }
    }

    @Test("a tally that a newer version wrote is left out")
    func unknownTally() async throws {
        try await TestDatabase.with { database in
            _ = try await database.pool.query("INSERT INTO tallies (event, times) VALUES ('from the future', 1)")
            _ = try await database.pool.query("INSERT INTO phase_durations VALUES ('burn', 1, 1, 1)")
            #expect(try await database.store.workDone().isEmpty)
        }
    }
}
