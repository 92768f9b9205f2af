import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

/// The order in which composes of several owners are claimed.
@Suite struct FairTurnsTests {
    /// Inserts waiting composes of an owner without their events.
    private func insert(_ count: Int, of owner: String, in database: TestDatabase) async throws {
        try await database.pool.withTransaction { connection in
            _ = try await connection.query("ALTER TABLE composes DISABLE TRIGGER composes_submitted")
            _ = try await connection.query(
                """
                INSERT INTO composes (owner, request, source_type, source, time_to_expire)
                SELECT \(owner), \(PostgresJSON(ComposeRequest.repo())), 3, '/srv/repo', now() + interval '1 day'
                FROM generate_series(1, \(count))
                """)
            _ = try await connection.query("ALTER TABLE composes ENABLE TRIGGER composes_submitted")
        }
    }

    /// Claims composes and returns their owners in this order.
    private func owners(of count: Int, in database: TestDatabase) async throws -> [String] {
        var owners: [String] = []
        for _ in 0..<count {
            guard let lease = try await database.store.claim(by: "w", for: .seconds(600)) else { break }
            owners.append(lease.compose.owner)
        }
        return owners
    }

    @Test("an owner with 60,000 waiting composes does not delay a newcomer")
    func newcomer() async throws {
        try await TestDatabase.with { database in
            try await insert(60_000, of: "heavy", in: database)
            #expect(try await owners(of: 5, in: database) == Array(repeating: "heavy", count: 5))
            for number in 1...20 { try await insert(3, of: "other\(number)", in: database) }
            _ = try await owners(of: 30, in: database)
            let new = try await database.store.submit(.repo(), owner: "newcomer")
            let position = try #require(try await database.store.queuePosition(of: new.id))
            #expect(position.ahead <= 21)
            let next = try await owners(of: 22, in: database)
            #expect(next.contains("newcomer"))
            #expect(next.filter { $0 == "heavy" }.count <= 2)
        }
    }

    @Test("owners get workers by their weights")
    func weights() async throws {
        try await TestDatabase.with { database in
            for (owner, weight) in [("light", 1.0), ("strong", 3.0)] {
                for _ in 0..<40 { _ = try await database.store.submit(.repo(), owner: owner, limits: OwnerLimits(weight: weight)) }
            }
            let next = try await owners(of: 40, in: database)
            #expect(abs(next.filter { $0 == "strong" }.count - 30) <= 1)
        }
    }

    @Test("an owner that had nothing to do has saved no turns")
    func idle() async throws {
        try await TestDatabase.with { database in
            try await insert(40, of: "a", in: database)
            try await insert(40, of: "b", in: database)
            _ = try await owners(of: 40, in: database)
            try await insert(40, of: "c", in: database)
            let next = try await owners(of: 30, in: database)
            for owner in ["a", "b", "c"] { #expect(abs(next.filter { $0 == owner }.count - 10) <= 1) }
        }
    }

    @Test("no owner has more composes under way than it may, however many workers claim")
    func underWay() async throws {
        try await TestDatabase.with(size: 10) { database in
            let store = database.store
            for _ in 0..<20 { _ = try await store.submit(.repo(), owner: "limited", limits: OwnerLimits(underWay: 3)) }
            let alone = try await withThrowingTaskGroup(of: [ComposeLease].self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        var leases: [ComposeLease] = []
                        while let lease = try await store.claim(by: "w\(worker)", for: .seconds(600)) { leases.append(lease) }
                        return leases
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(alone.count == 3)
            for _ in 0..<5 { _ = try await store.submit(.repo(), owner: "other") }
            #expect(try await owners(of: 10, in: database) == Array(repeating: "other", count: 5))
            _ = try await store.workerIsAlive("w", slots: 1)
            var query = ComposeQuery()
            query.states = [.wait]
            let waiting = try #require(try await store.list(query).items.first)
            #expect(
                try await store.queuePosition(of: waiting.id)?.reason == "3 of your composes are under way, which is your limit.")
            #expect(try await store.release(alone[0]))
            #expect(try await owners(of: 10, in: database) == ["limited"])
        }
    }

    @Test("the reason for the wait is a right sentence also about one compose")
    func one() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            _ = try await store.workerIsAlive("w", slots: 1)
            _ = try await store.submit(.repo(), owner: "a")
            let own = try await store.submit(.repo(), owner: "a").id
            #expect(try await store.queuePosition(of: own)?.reason == "One compose is ahead, which is yours.")
            let other = try await store.submit(.repo(), owner: "b").id
            #expect(try await store.queuePosition(of: other)?.reason == "One compose is ahead.")
        }
    }

    @Test("a compose whose row is locked is passed over, and its owner does not keep others waiting")
    func locked() async throws {
        try await TestDatabase.with { database in
            let locked = try await database.store.submit(.repo(), owner: "a").id
            _ = try await database.store.submit(.repo(), owner: "b")
            try await database.pool.withTransaction { connection in
                _ = try await connection.query("SELECT id FROM composes WHERE id = \(locked) FOR UPDATE")
                #expect(try await owners(of: 2, in: database) == ["b"])
            }
            #expect(try await owners(of: 2, in: database) == ["a"])
        }
    }

    @Test("an owner that no claim has seen yet waits for at most an eighth of the others")
    func seen() async throws {
        try await TestDatabase.with { database in
            for number in 0..<80 { try await insert(3, of: "owner\(number)", in: database) }
            #expect(Set(try await owners(of: 80, in: database)).count == 80)
            _ = try await database.store.submit(.repo(), owner: "newcomer")
            #expect(try await owners(of: 11, in: database).contains("newcomer"))
            #expect(Set(try await owners(of: 60, in: database)).count == 60)
        }
    }

    @Test("composes that a worker has refused do not keep the other owners waiting")
    func refused() async throws {
        try await TestDatabase.with { database in
            try await insert(50, of: "a", in: database)
            try await insert(3, of: "b", in: database)
            _ = try await database.pool.query("UPDATE composes SET refused_by = ARRAY['w'], refused_since = now() WHERE owner = 'a'")
            #expect(try await owners(of: 5, in: database) == ["b", "b", "b"])
            #expect(try await database.store.claim(by: "other", for: .seconds(600))?.compose.owner == "a")
        }
    }

    @Test("composes of one owner are claimed in the order of their submission, without turns")
    func oneOwner() async throws {
        try await TestDatabase.with { database in
            var ids: [Int] = []
            for _ in 0..<5 { ids.append(try await database.store.submit(.repo(), owner: "me").id) }
            var claimed: [Int] = []
            while let lease = try await database.store.claim(by: "w", for: .seconds(600)) { claimed.append(lease.id) }
            #expect(claimed == ids)
            #expect(try await database.pool.query("SELECT owner FROM owners").isEmpty)
        }
    }
}
