import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

/// Composes that show one result expire with it, however many they are.
@Suite struct SharedExpiryTests {
    private let admin = Actor(name: "root", isAdmin: true)

    private func finished(_ secondsToLive: Int = 3600, in database: TestDatabase) async throws -> Compose {
        let request = ComposeRequest.repo(secondsToLive: secondsToLive)
        let id = try await database.store.submit(request, owner: "me").id
        let lease = try #require(try await database.store.claim(by: "w", for: .seconds(60)))
        let settlement = try await database.store.settle(lease, as: .pinned(request), source: "/srv/repo", reason: { _ in "same" })
        if settlement == .build {
            _ = try await database.store.finish(lease, composeID: "x", packages: 1, bytes: 1, reason: "Done.") { _ in }
        }
        return try #require(try await database.store.compose(id))
    }

    /// Which version of each row of `composes` there is.
    private func versions(_ database: TestDatabase) async throws -> [Int: String] {
        let rows = try await database.pool.query("SELECT id, xmin::text || ctid::text AS version FROM composes")
        return Dictionary(uniqueKeysWithValues: try rows.map { (try $0.decode(Int.self, "id"), try $0.decode(String.self, "version")) })
    }

    @Test("one more compose that shows a result, and a renewal, change the row of no other compose, and all expire later")
    func oneRow() async throws {
        try await TestDatabase.with { database in
            let first = try await finished(in: database)
            _ = try await finished(in: database)
            let before = try await versions(database)
            let third = try await finished(90_000, in: database)
            #expect(third.resultOf == first.id)
            var after = try await versions(database)
            after[third.id] = nil
            #expect(after == before)
            #expect(try await database.store.compose(first.id)?.timeToExpire == third.timeToExpire)

            let renewed = try await versions(database)
            _ = try await database.store.renew(first.id, Renewal(secondsToLive: 100_000), owner: "me")
            #expect(try await versions(database) == renewed)
            let times = try await database.store.list(ComposeQuery()).items.map(\.timeToExpire)
            #expect(Set(times).count == 1 && times[0] > third.timeToExpire)
        }
    }

    @Test("the list is ordered by the time at which composes do expire")
    func order() async throws {
        try await TestDatabase.with { database in
            let shared = try await finished(100, in: database)
            _ = try await database.store.submit(.repo(["jed"], secondsToLive: 5000), owner: "me")
            _ = try await database.store.renew(shared.id, Renewal(secondsToLive: 9000), owner: "me")
            var query = ComposeQuery()
            query.order = [.init(field: .timeToExpire, descending: true)]
            #expect(try await database.store.list(query).items.first?.id == shared.id)
        }
    }

    @Test(
        "what a person removes goes alone and at once; a renewal before it is gone brings it back, a new compose with the same result does not"
    )
    func removed() async throws {
        try await TestDatabase.with { database in
            let first = try await finished(in: database)
            let second = try await finished(in: database)
            _ = try await database.store.delete(first.id, by: admin)
            _ = try await database.store.delete(second.id, by: admin)
            guard case .extended(let kept) = try await database.store.renew(second.id, Renewal(), owner: "me") else {
                Issue.record("it was not extended")
                return
            }
            #expect(kept.removedBy == nil)
            let third = try await finished(in: database)
            #expect(third.resultOf == first.id)
            #expect(try await database.store.expire(limit: 10) == Expired(composes: [first.id], retired: []))
            #expect(try await database.store.compose(first.id)?.stateReason == "Done.\nRemoved by root.")
            #expect(try await database.store.compose(second.id)?.state == .done)
        }
    }

    @Test("a compose that joined another one and was to live longer keeps the result of both")
    func joined() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            _ = try await store.submit(.repo(secondsToLive: 100), owner: "me")
            let lease = try #require(try await store.claim(by: "w", for: .seconds(60)))
            _ = try await store.settle(lease, as: .pinned(.repo()), source: "s", reason: { _ in "" })
            let longer = try await finished(90_000, in: database)
            #expect(longer.state == .generating)
            _ = try await store.finish(lease, composeID: "x", packages: 1, bytes: 1, reason: "Done.") { _ in }
            let times = try await [store.compose(lease.compose.id), store.compose(longer.id)].map { $0?.timeToExpire }
            #expect(times[0] == times[1])
            #expect(try #require(times[0]).timeIntervalSince(longer.timeSubmitted) > 80_000)
        }
    }

    @Test("composes of many results expire in batches, each once")
    func batches() async throws {
        try await TestDatabase.with { database in
            for _ in 0..<3 { _ = try await finished(in: database) }
            try await database.setExpiry(to: "now()")
            #expect(try await database.store.expire(limit: 2) == Expired(composes: [1, 2], retired: []))
            #expect(try await database.store.expire(limit: 2) == Expired(composes: [3], retired: [1]))
            #expect(try await database.store.expire(limit: 2) == Expired())
        }
    }
}
