import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

/// What is written down of watches, and who may write it.
@Suite struct WatchTests {
    private let length = Duration.seconds(60)
    private let next = Duration.seconds(600)

    private func finding(_ key: String, event: Int = 64, tags: [Int] = [1, 2]) -> WatchFinding {
        WatchFinding(
            pins: ComposePins(koji: KojiPin(tag: .init(name: "f26-updates", id: 2, event: event, inherits: true))), tags: tags,
            packagesKey: key)
    }

    /// The lease of all watches, after the time at which they are due has come.
    private func lease(in database: TestDatabase) async throws -> WatchLease {
        _ = try await database.pool.query("UPDATE watches SET next_look_at = now()")
        return try #require(try await database.store.leaseWatches(for: length))
    }

    /// Looks once for the only watch and finds packages with that key.
    private func look(_ key: String, event: Int = 64, in database: TestDatabase) async throws -> Compose? {
        let lease = try await lease(in: database)
        return try await database.store.record(finding(key, event: event), for: lease.items[0], lease, next: next)
    }

    /// Makes the compose that waits done.
    private func finish(in database: TestDatabase) async throws {
        let lease = try #require(try await database.store.claim(by: "w", for: length))
        let specification = try #require(lease.compose.specification)
        _ = try await database.store.settle(lease, as: specification, source: "f26-updates", reason: { _ in "" })
        #expect(try await database.store.finish(lease, composeID: "odcs-1-1-20261121.t.0", packages: 1, bytes: 1, reason: "Done.") { _ in })
    }

    @Test("a watch is written down, listed, and ended once; what is no tag is refused")
    func lifeOfAWatch() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            let mine = try await store.standingWatch(owner: "me", request: .tag(["httpd"]))
            let yours = try await store.standingWatch(owner: "you", request: .tag(["ed"]))
            #expect(try await store.watch(mine.id) == mine)
            #expect(mine.request == .tag(["httpd"]))
            #expect(mine.endedAt == nil && mine.latestCompose == nil && mine.lookedAt == nil && mine.problem == nil)
            #expect(try await store.watches().items.map(\.id) == [yours.id, mine.id])
            #expect(try await store.watches(owner: "me").items == [mine])
            #expect(try await store.watches(page: 2, perPage: 1).items == [mine])
            #expect(try await store.watches(page: 3, perPage: 1).items == [])
            #expect(try await store.watches(page: .max, perPage: .max).total == 2)

            let ended = try #require(try await store.endWatch(mine.id))
            #expect(ended.endedAt != nil)
            #expect(try await store.endWatch(mine.id) == ended)
            #expect(try await store.endWatch(99) == nil)
            #expect(try await store.watch(99) == nil)
            #expect(try await store.watches().items == [yours])
            #expect(try await store.watches(includingEnded: true).total == 2)
            #expect(try await store.standingWatch(owner: "me", request: .tag(secondsToLive: 1)).request.secondsToLive == 60)
            await #expect(throws: PostgresError.self) { try await store.standingWatch(owner: "me", request: .repo()) }
        }
    }

    @Test("a look makes a compose, pinned to what was seen, when the packages are others than before, and none when they are the same")
    func looks() async throws {
        try await TestDatabase.with { database in
            let watch = try await database.store.standingWatch(owner: "me", request: .tag(["ed"]))
            let first = try #require(try await look("a", in: database))
            #expect(first.watch == watch.id)
            #expect(first.owner == "me")
            #expect(first.request == watch.request)
            #expect(first.kojiEvent == 64)
            #expect(first.isPinned)
            #expect(first.specification?.pins.koji?.tag?.event == 64)
            #expect(try await look("a", event: 70, in: database) == nil)
            let second = try #require(try await look("b", event: 80, in: database))
            let seen = try #require(try await database.store.watch(watch.id))
            #expect(seen.latestCompose == second.id)
            #expect(seen.kojiEvent == 80)
            #expect(seen.lookedAt != nil)
            let events = try await database.pool.query("SELECT compose->>'watch_id' AS watch FROM events ORDER BY id")
            #expect(try events.map { try $0.decode(String?.self, "watch") } == ["\(watch.id)", "\(watch.id)"])
        }
    }

    @Test("when one watch is due all that are free are taken, by one worker; what an ended one's look finds is not written")
    func leases() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            #expect(try await store.leaseWatches(for: length) == nil)
            for name in ["a", "b", "c"] { _ = try await store.standingWatch(owner: "me", request: .tag([name])) }
            _ = try await store.endWatch(2)
            _ = try await database.pool.query("UPDATE watches SET next_look_at = now() + interval '1 hour' WHERE id = 3")
            let leases = try await withThrowingTaskGroup(of: WatchLease?.self) { group in
                for _ in 0..<6 { group.addTask { try await store.leaseWatches(for: length) } }
                return try await group.reduce(into: []) { $0.append($1) }.compactMap(\.self)
            }
            #expect(leases.map { $0.items.map(\.watch.id) } == [[1, 3]])
            _ = try await store.endWatch(1)
            #expect(try await store.record(finding("a"), for: leases[0].items[0], leases[0], next: next) == nil)
            #expect(try await store.watch(1)?.kojiEvent == nil)
            #expect(try await store.record(finding("a"), for: leases[0].items[1], leases[0], next: next) != nil)
            #expect(try await store.leaseWatches(for: length) == nil, "none is due")
        }
    }

    @Test("a lease that ran out is another's, and whoever had it changes nothing any more; one that is renewed or given back is not lost")
    func lostLeases() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            _ = try await store.standingWatch(owner: "me", request: .tag())
            let slow = try await lease(in: database)
            _ = try await database.pool.query("UPDATE watches SET lease_expires_at = now() - interval '1 second'")
            try await store.heartbeat(slow, for: length)
            #expect(try await store.leaseWatches(for: length) == nil)
            _ = try await database.pool.query("UPDATE watches SET lease_expires_at = now() - interval '1 second'")
            let quick = try #require(try await store.leaseWatches(for: length))
            try await store.heartbeat(slow, for: length)
            try await store.release(slow)
            #expect(try await store.record(finding("slow"), for: slow.items[0], slow, next: next) == nil)
            try await store.record(
                problem: "slow", for: slow.items[0], upTo: 99, tags: [7], slow, next: next, pause: next)
            try await store.recordUnchanged([1], upTo: 99, slow, next: next)
            #expect(try await store.watch(1)?.problem == nil)
            #expect(try await store.record(finding("quick"), for: quick.items[0], quick, next: next) != nil)
            let again = try await lease(in: database)
            #expect(again.items[0].tags == [1, 2])
            try await store.release(again)
            #expect(try await store.leaseWatches(for: length) != nil, "it is looked for at once")
        }
    }

    @Test("a look that failed keeps its words and is due again after its pause, whatever a quiet round finds meanwhile")
    func failedLooks() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            _ = try await store.standingWatch(owner: "me", request: .tag())
            var lease = try await lease(in: database)
            #expect(lease.items[0].isLookDue)
            try await store.record(
                problem: "It is not signed.", for: lease.items[0], upTo: 70, tags: [1, 2], lease, next: next, pause: .seconds(60))
            lease = try await self.lease(in: database)
            #expect(!lease.items[0].isLookDue)
            #expect(lease.items[0].failures == 1)
            #expect(lease.items[0].watch.kojiEvent == 70)
            try await store.recordUnchanged([1], upTo: 75, lease, next: next)
            #expect(try await store.watch(1)?.problem == "It is not signed.")
            lease = try await self.lease(in: database)
            try await store.record(problem: "Koji does not answer.", lease, next: next)
            #expect(try await store.watch(1)?.problem == "It is not signed.")

            _ = try await database.pool.query("UPDATE watches SET retry_at = now()")
            lease = try await self.lease(in: database)
            #expect(lease.items[0].isLookDue)
            #expect(try await store.record(finding("a", event: 76), for: lease.items[0], lease, next: next) != nil)
            #expect(try await store.watch(1)?.problem == nil)
            lease = try await self.lease(in: database)
            #expect(!lease.items[0].isLookDue)
            #expect(lease.items[0].failures == 0)

            try await store.record(problem: "Koji does not answer.", lease, next: next)
            #expect(try await store.watch(1)?.problem == "Koji does not answer.")
            lease = try await self.lease(in: database)
            #expect(!lease.items[0].isLookDue)
            try await store.recordUnchanged([1], upTo: nil, lease, next: next)
            #expect(try await store.watch(1)?.problem == nil)
            #expect(try await store.watch(1)?.kojiEvent == 76)
        }
    }

    @Test("a look that succeeded is confirmed once, when that is asked for, and until then the problem of a round is told like any other")
    func confirmedLooks() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            _ = try await store.standingWatch(owner: "me", request: .tag())
            var lease = try await lease(in: database)
            #expect(lease.items[0].isLookDue && !lease.items[0].isConfirmation)
            let first = try await store.record(finding("a"), for: lease.items[0], lease, next: next, confirmation: .seconds(600))
            #expect(first != nil)
            lease = try await self.lease(in: database)
            #expect(!lease.items[0].isLookDue && !lease.items[0].isConfirmation)
            try await store.record(problem: "Koji does not answer.", lease, next: next)
            #expect(try await store.watch(1)?.problem == "Koji does not answer.")

            _ = try await database.pool.query("UPDATE watches SET retry_at = now()")
            lease = try await self.lease(in: database)
            #expect(lease.items[0].isLookDue && lease.items[0].isConfirmation)
            #expect(try await store.record(finding("a"), for: lease.items[0], lease, next: next) == nil)
            #expect(try await store.watch(1)?.problem == nil)
            lease = try await self.lease(in: database)
            #expect(!lease.items[0].isLookDue && !lease.items[0].isConfirmation)
        }
    }

    @Test("the latest compose of a watch is kept, with what shows the same result, until the watch is ended")
    func kept() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            let watch = try await store.standingWatch(owner: "me", request: .tag(secondsToLive: 3600))
            let first = try #require(try await look("a", in: database))
            try await finish(in: database)
            let second = try #require(try await look("b", event: 80, in: database))
            try await finish(in: database)
            /// How many minutes each of them has left.
            func left() async throws -> [Int] {
                try await database.pool.query(
                    "SELECT ceil(extract(epoch FROM expires_at - now()) / 60)::int AS minutes FROM results ORDER BY id"
                ).map { try $0.decode(Int.self, "minutes") }
            }
            try await database.setExpiry(to: "now() + interval '40 minutes'")
            try await store.keepComposesOfWatches()
            #expect(try await left() == [40, 40], "there is time")
            try await database.setExpiry(to: "now() + interval '20 minutes'")
            try await store.keepComposesOfWatches()
            #expect(try await left() == [20, 60], "\(first.id) is not the latest")

            try await database.setExpiry(to: "now() + interval '20 minutes'")
            _ = try await store.delete(second.id, by: Actor(name: "admin", isAdmin: true))
            try await store.keepComposesOfWatches()
            #expect(try await store.expire(limit: 10).composes == [second.id], "a person ended it")

            let third = try #require(try await look("c", event: 90, in: database))
            try await finish(in: database)
            _ = try await store.endWatch(watch.id)
            try await database.setExpiry(to: "now() - interval '1 minute'")
            try await store.keepComposesOfWatches()
            #expect(Set(try await store.expire(limit: 10).composes) == [first.id, third.id])
        }
    }

    @Test(
        "a compose that expired, or failed for a passing reason a while ago, is made again; one that a person ended or that failed for good is not"
    )
    func lackingComposes() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            _ = try await store.standingWatch(owner: "me", request: .tag())
            func isMadeAgain(_ what: Comment) async throws -> Bool {
                let lease = try await lease(in: database)
                #expect(lease.items[0].isLookDue == lease.items[0].lacksCompose, what)
                return try await store.record(finding("a"), for: lease.items[0], lease, next: next) != nil
            }
            func fail(_ failure: ComposeFailure) async throws {
                let lease = try #require(try await store.claim(by: "w", for: length))
                #expect(try await store.fail(lease, with: failure, retries: RetryPolicy(attempts: 1)) == .failed)
            }
            func expireAll() async throws {
                try await database.setExpiry(to: "now()")
                _ = try await store.expire(limit: 100)
            }
            _ = try await look("a", in: database)
            #expect(try await !isMadeAgain("it waits"))
            try await finish(in: database)
            #expect(try await !isMadeAgain("it is done"))
            try await expireAll()
            #expect(try await isMadeAgain("it expired"))

            try await fail(ComposeFailure(.storage, "The disk is full.", isTransient: true))
            #expect(try await !isMadeAgain("it failed just now"))
            _ = try await database.pool.query("UPDATE composes SET time_done = now() - interval '16 minutes' WHERE state = 4")
            #expect(try await isMadeAgain("it failed a while ago"))

            try await fail(ComposeFailure(.signing, "There is no such key."))
            _ = try await database.pool.query("UPDATE composes SET time_done = now() - interval '1 day' WHERE state = 4")
            #expect(try await !isMadeAgain("it failed for good"))
            try await expireAll()
            #expect(try await !isMadeAgain("it failed for good, and expired"))

            let changed = try #require(try await look("b", event: 80, in: database), "the next change makes a new one")
            _ = try await store.delete(changed.id, by: Actor(name: "me", isAdmin: false))
            #expect(try await store.compose(changed.id)?.state == .failed)
            #expect(try await look("b", event: 81, in: database) == nil, "a person canceled it")
        }
    }
}
