import ComposeModel
import ComposeTestKit
import Postgres
import Testing

@testable import ComposeStore

/// How much one account may have.
@Suite struct OwnerLimitTests {
    @Test("of many requests of one owner at the same time as many are taken as may wait, however they are sent")
    func waiting() async throws {
        try await TestDatabase.with { database in
            let limits = OwnerLimits(waiting: 10)
            // Two frontends.
            let stores = [database.store, ComposeStore(pool: database.pool)]
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        while true {
                            do {
                                _ = try await stores[number % 2].submit(
                                    .repo(), owner: "me", limits: limits, unless: number % 3 == 0 ? .key("\(number)") : nil)
                                return true
                            } catch let reached as OwnerLimitReached {
                                #expect(
                                    reached == OwnerLimitReached(kind: .waitingComposes, owner: "me", most: 10, retryAfter: 60))
                                return false
                            } catch let error as PostgresError where error.isTransient {
                                // On a slow machine others hold a lock longer than a request waits. A client asks again.
                                continue
                            }
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(taken == 10)
            #expect(try await database.store.list(ComposeQuery()).total == 10)
            _ = try await database.store.submit(.repo(), owner: "other", limits: limits)
        }
    }

    @Test("a request that is refused can be sent again with its key when there is room")
    func again() async throws {
        try await TestDatabase.with { database in
            let (store, limits) = (database.store, OwnerLimits(waiting: 1))
            let first = try await store.submit(.repo(), owner: "me", limits: limits, unless: .key("1"))
            await #expect(throws: OwnerLimitReached.self) {
                _ = try await store.submit(.repo(), owner: "me", limits: limits, unless: .key("2"))
            }
            #expect(try await store.submit(.repo(), owner: "me", limits: limits, unless: .key("1")).id == first.id)
            _ = try await store.delete(first.id, by: Actor(name: "me", isAdmin: false))
            #expect(try await store.submit(.repo(), owner: "me", limits: limits, unless: .key("2")).id > first.id)
        }
    }

    @Test("results that an owner's composes show count once, and the refusal names the composes with the largest")
    func bytes() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            var ids: [Int] = []
            for bytes in [100, 300, 200] {
                let id = try await store.submit(.repo(from: "/srv/\(bytes)"), owner: "me").id
                let lease = try #require(try await store.claim(by: "w", for: .seconds(600)))
                _ = try await store.settle(lease, as: .pinned(lease.compose.request), source: "/srv", reason: { _ in "" })
                _ = try await store.finish(lease, composeID: "odcs-\(id)", packages: 1, bytes: bytes, reason: "") { _ in }
                ids.append(id)
            }
            _ = try await store.submit(.repo(), owner: "me", limits: OwnerLimits(bytes: 601))
            await #expect(
                throws: OwnerLimitReached(kind: .bytes(largest: [ids[1], ids[2], ids[0]]), owner: "me", most: 600, retryAfter: 600)
            ) {
                _ = try await store.submit(.repo(), owner: "me", limits: OwnerLimits(bytes: 600))
            }
        }
    }

    @Test("as many watches of one owner stand as may, and one that ends makes room")
    func watches() async throws {
        try await TestDatabase.with { database in
            let (store, limits) = (database.store, OwnerLimits(watches: 1))
            let first = try await store.standingWatch(owner: "me", request: .tag(from: "f1"), limits: limits)
            await #expect(throws: OwnerLimitReached(kind: .standingWatches, owner: "me", most: 1, retryAfter: 600)) {
                _ = try await store.standingWatch(owner: "me", request: .tag(from: "f2"), limits: limits)
            }
            #expect(try await store.standingWatch(owner: "me", request: .tag(from: "f1"), limits: limits).id == first.id)
            _ = try await store.endWatch(first.id)
            _ = try await store.standingWatch(owner: "me", request: .tag(from: "f2"), limits: limits)
        }
    }
}
