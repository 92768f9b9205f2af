import ComposeModel
import ComposeTestKit
import Postgres
import Testing

@testable import ComposeStore

/// How much may wait for one caller.
@Suite struct CallerLimitTests {
    private let limit = CallerLimit(caller: "192.0.2.7", most: 10)
    private let reached = CallerLimitReached(kind: .waitingComposes, limit: CallerLimit(caller: "192.0.2.7", most: 10))

    /// Submits at the same time, each request in the way that `submit` does.
    ///
    /// - Returns: How many were taken.
    private func taken(_ count: Int, submit: @escaping @Sendable (Int) async throws -> Void) async throws -> Int {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<count {
                group.addTask {
                    while true {
                        do {
                            try await submit(number)
                            return true
                        } catch is CallerLimitReached {
                            return false
                        } catch let error as PostgresError where error.isTransient {
                            // On a slow machine the others hold the row longer than a request waits. A client asks again.
                            continue
                        }
                    }
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }

    @Test("of many requests of one caller at the same time as many are taken as may wait, however they are sent")
    func concurrent() async throws {
        try await TestDatabase.with { database in
            let limit = limit
            let old = try await database.store.submit(.repo(), owner: "me")
            _ = try await database.store.delete(old.id, by: Actor(name: "me", isAdmin: false))
            // Two frontends.
            let stores = [database.store, ComposeStore(pool: database.pool)]
            let taken = try await taken(60) { number in
                let store = stores[number % 2]
                switch number % 3 {
                case 0: _ = try await store.submit(.repo(), owner: "me", limit: limit)
                case 1: _ = try await store.submit(.repo(), owner: "me", limit: limit, unless: .key("\(number)"))
                default: _ = try await store.renew(old.id, Renewal(), owner: "me", limit: limit)
                }
            }
            #expect(taken == 10)
            #expect(try await database.store.list(ComposeQuery()).total == 11)
        }
    }

    @Test("ten renewals of one compose wait for a caller, and no more; those of another compose are not concerned")
    func renewals() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            var olds: [Int] = []
            for _ in 1...2 {
                let old = try await store.submit(.repo(), owner: "me")
                _ = try await store.delete(old.id, by: Actor(name: "me", isAdmin: false))
                olds.append(old.id)
            }
            let (first, second) = (olds[0], olds[1])
            let limit = CallerLimit(caller: "192.0.2.7", most: 2000)
            let taken = try await taken(25) { _ in _ = try await store.renew(first, Renewal(), owner: "me", limit: limit) }
            #expect(taken == 10)
            _ = try await store.renew(second, Renewal(), owner: "me", limit: limit)
            _ = try await store.renew(first, Renewal(), owner: "me", limit: CallerLimit(caller: "192.0.2.8", most: 1))
            _ = try await store.renew(first, Renewal(), owner: "me")
        }
    }

    @Test("a compose whose renewals end at once is renewed sixty times in a minute, and no more")
    func recentRenewals() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            let me = Actor(name: "me", isAdmin: false)
            let old = try await store.submit(.repo(), owner: "me")
            _ = try await store.delete(old.id, by: me)
            let limit = CallerLimit(caller: "192.0.2.7", most: 2000)
            for _ in 1...60 {
                guard case .created(let renewed) = try await store.renew(old.id, Renewal(), owner: "me", limit: limit) else {
                    Issue.record("The compose was not renewed.")
                    return
                }
                _ = try await store.delete(renewed.id, by: me)
            }
            let reached = CallerLimitReached(kind: .recentRenewals(of: old.id), limit: CallerLimit(caller: "192.0.2.7", most: 60))
            await #expect(throws: reached) { _ = try await store.renew(old.id, Renewal(), owner: "me", limit: limit) }
            _ = try await store.renew(old.id, Renewal(), owner: "other", limit: limit)
            _ = try await database.pool.query("UPDATE composes SET time_submitted = time_submitted - interval '1 minute'")
            _ = try await store.renew(old.id, Renewal(), owner: "me", limit: limit)
        }
    }

    @Test("another caller, and one without a limit, are not concerned")
    func others() async throws {
        try await TestDatabase.with { database in
            for _ in 1...10 { _ = try await database.store.submit(.repo(), owner: "me", limit: limit) }
            await #expect(throws: reached) { _ = try await database.store.submit(.repo(), owner: "me", limit: limit) }
            _ = try await database.store.submit(.repo(), owner: "me", limit: CallerLimit(caller: "192.0.2.8", most: 1))
            _ = try await database.store.submit(.repo(), owner: "me")
        }
    }

    @Test("a compose that a worker begins, or that is canceled, makes room, and its caller is forgotten")
    func room() async throws {
        try await TestDatabase.with { database in
            let limit = CallerLimit(caller: "192.0.2.7", most: 1)
            for end in 0..<3 {
                let compose = try await database.store.submit(.repo(), owner: "me", limit: limit)
                await #expect(throws: CallerLimitReached.self) { _ = try await database.store.submit(.repo(), owner: "me", limit: limit) }
                if end == 0 {
                    _ = try await database.store.claim(by: "w", for: .seconds(60))
                } else {
                    _ = try await database.store.delete(compose.id, by: Actor(name: "me", isAdmin: false))
                }
            }
            let rows = try await database.pool.query("SELECT count(*) AS known FROM composes WHERE caller IS NOT NULL")
            #expect(try rows[rows.startIndex].decode(Int.self, "known") == 0)
        }
    }

    @Test("a request that comes again with its key is answered even if nothing more may wait")
    func repeated() async throws {
        try await TestDatabase.with { database in
            let limit = CallerLimit(caller: "192.0.2.7", most: 1)
            let first = try await database.store.submit(.repo(), owner: "me", limit: limit, unless: .key("k"))
            #expect(try await database.store.submit(.repo(), owner: "me", limit: limit, unless: .key("k")).id == first.id)
        }
    }

    @Test("as many watches of one caller stand as may, and one that ends makes room")
    func watches() async throws {
        try await TestDatabase.with { database in
            let limit = CallerLimit(caller: "192.0.2.7", most: 5)
            let store = database.store
            let taken = try await taken(20) { number in
                _ = try await store.standingWatch(owner: "me", request: .tag(from: "f\(number)"), limit: limit)
            }
            #expect(taken == 5)
            let standing = try await store.watches()
            #expect(standing.total == 5)
            let known = try #require(standing.items.first)
            #expect(try await store.standingWatch(owner: "me", request: known.request, limit: limit).id == known.id)
            _ = try await store.endWatch(known.id)
            _ = try await store.standingWatch(owner: "me", request: .tag(from: "another"), limit: limit)
        }
    }
}
