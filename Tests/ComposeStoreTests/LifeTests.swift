import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

/// Renewing, canceling, removing and expiring.
@Suite struct LifeTests {
    private let admin = Actor(name: "root", isAdmin: true)

    private func finished(_ request: ComposeRequest = .repo(), in database: TestDatabase) async throws -> Compose {
        let id = try await database.store.submit(request, owner: "me").id
        let lease = try #require(try await database.store.claim(by: "w", for: .seconds(60)))
        let settlement = try await database.store.settle(lease, as: .pinned(request), source: "/srv/repo", reason: { _ in "same" })
        if settlement == .build {
            _ = try await database.store.finish(lease, composeID: "odcs-1-1-20261121.t.0", packages: 1, bytes: 1, reason: "Done.") { _ in }
        }
        return try #require(try await database.store.compose(id))
    }

    @Test("an expired compose is removed, its result is retired, and both keep their record")
    func expires() async throws {
        try await TestDatabase.with { database in
            let compose = try await finished(in: database)
            #expect(try await database.store.expire(limit: 10) == Expired())
            try await database.setExpiry(to: "now()")
            #expect(try await database.store.expire(limit: 10) == Expired(composes: [compose.id], retired: [compose.id]))
            let removed = try #require(try await database.store.compose(compose.id))
            #expect(removed.state == .removed)
            #expect(removed.stateReason == "Done.\nExpired: its time to live has ended.")
            #expect(abs(removed.timeToExpire.timeIntervalSince(try #require(removed.timeRemoved))) < 60, "when it did expire")
            #expect(try await database.store.resultsToDelete(limit: 10) == [RetiredResult(id: compose.id, targetDir: "default")])
            try await database.store.recordDeletion(of: compose.id)
            #expect(try await database.store.resultsToDelete(limit: 10) == [])
        }
    }

    @Test("a result stays while any compose that is done shows it")
    func sharedResultStays() async throws {
        try await TestDatabase.with { database in
            let first = try await finished(in: database)
            let second = try await finished(in: database)
            #expect(second.resultOf == first.id)
            _ = try await database.store.delete(first.id, by: admin)
            #expect(try await database.store.expire(limit: 10) == Expired(composes: [first.id], retired: []))
            #expect(try await database.store.composesWithoutResult(among: [first.id, 4711]) == [])
            _ = try await database.store.delete(second.id, by: admin)
            #expect(try await database.store.expire(limit: 10) == Expired(composes: [second.id], retired: [first.id]))
            try await database.store.recordDeletion(of: first.id)
            #expect(try await database.store.composesWithoutResult(among: [first.id, 4711]) == [first.id])
        }
    }

    @Test("renewing extends the compose and all that show the same result, never shortens them")
    func renewExtends() async throws {
        try await TestDatabase.with { database in
            let first = try await finished(in: database)
            let second = try await finished(in: database)
            guard case .extended(let extended) = try await database.store.renew(second.id, Renewal(secondsToLive: 90_000), owner: "me")
            else {
                Issue.record("it was not extended")
                return
            }
            #expect(extended.id == second.id)
            #expect(extended.timeToExpire > second.timeToExpire)
            #expect(try await database.store.compose(first.id)?.timeToExpire == extended.timeToExpire)
            _ = try await database.store.renew(first.id, Renewal(secondsToLive: 1), owner: "me")
            #expect(try await database.store.compose(first.id)?.timeToExpire == extended.timeToExpire)
        }
    }

    @Test("renewing a removed compose makes a new one with its inputs and its pins")
    func renewRemoved() async throws {
        try await TestDatabase.with { database in
            let old = try await finished(in: database)
            _ = try await database.store.delete(old.id, by: admin)
            _ = try await database.store.expire(limit: 10)
            guard case .created(let new) = try await database.store.renew(old.id, Renewal(), owner: "you") else {
                Issue.record("no new compose was made")
                return
            }
            #expect(new.id != old.id)
            #expect(new.state == .wait)
            #expect(new.owner == "you")
            #expect(new.request == old.request)
            #expect(new.specification == old.specification)
            #expect(new.isPinned)
        }
    }

    @Test("renewing with other inputs makes a new compose, which keeps the pins")
    func renewWithLabel() async throws {
        try await TestDatabase.with { database in
            let old = try await finished(in: database)
            guard case .created(let new) = try await database.store.renew(old.id, Renewal(label: "RC-1.0"), owner: "me") else {
                Issue.record("no new compose was made")
                return
            }
            #expect(new.request.label == "RC-1.0")
            #expect(new.specification?.pins.repositories == old.specification?.pins.repositories)
            #expect(new.specification?.label == "RC-1.0")
        }
    }

    @Test("a failed compose is renewed without pins: its repositories may be what was wrong")
    func renewFailed() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            let lease = try #require(try await database.store.claim(by: "w", for: .seconds(60)))
            _ = try await database.store.settle(lease, as: .pinned(.repo()), source: "s", reason: { _ in "" })
            _ = try await database.store.fail(lease, with: ComposeFailure(.metadataCorrupt, "Broken."), retries: RetryPolicy())
            guard case .created(let new) = try await database.store.renew(id, Renewal(), owner: "me") else {
                Issue.record("no new compose was made")
                return
            }
            #expect(new.specification == nil)
        }
    }

    @Test("a compose under way is not renewed, an unknown one is not found")
    func notRenewed() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            guard case .underWay(.wait) = try await database.store.renew(id, Renewal(), owner: "me") else {
                Issue.record("a waiting compose was renewed")
                return
            }
            #expect(try await database.store.renew(id + 1000, Renewal(), owner: "me") == nil)
        }
    }

    @Test("its owner cancels a compose that waits or is being made, at once; a stranger cannot")
    func cancel() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            guard case .notAllowed = try await database.store.delete(id, by: Actor(name: "you", isAdmin: false)) else {
                Issue.record("a stranger canceled it")
                return
            }
            let lease = try #require(try await database.store.claim(by: "w", for: .seconds(60)))
            guard case .canceled(let canceled) = try await database.store.delete(id, by: Actor(name: "me", isAdmin: false)) else {
                Issue.record("its owner could not cancel it")
                return
            }
            #expect(canceled.state == .failed)
            #expect(canceled.stateReason == "Canceled by me")
            #expect(try await database.store.heartbeat(lease, for: .seconds(60)) == false)
            #expect(try await database.store.openAttempts(among: [lease.token]) == [])
        }
    }

    @Test("its owner ends the life of a compose that is done; a stranger cannot")
    func ownerRemoves() async throws {
        try await TestDatabase.with { database in
            let compose = try await finished(in: database)
            let stranger = try await database.store.delete(compose.id, by: Actor(name: "you", isAdmin: false))
            guard case .notAllowed("only me, the owner of compose \(compose.id), or an admin can remove it before its time") = stranger
            else {
                Issue.record("a stranger removed it")
                return
            }
            guard case .expired(let expired) = try await database.store.delete(compose.id, by: Actor(name: "me", isAdmin: false)) else {
                Issue.record("its owner could not remove it")
                return
            }
            #expect(expired.removedBy == "me")
            _ = try await database.store.expire(limit: 10)
            #expect(try await database.store.compose(compose.id)?.state == .removed)
        }
    }

    @Test("an admin marks what is over as expired; it is removed in that admin's name, and cannot be removed twice")
    func adminRemoves() async throws {
        try await TestDatabase.with { database in
            let compose = try await finished(in: database)
            _ = try await database.store.delete(compose.id, by: admin)
            #expect(try await database.store.compose(compose.id)?.state == .done)
            _ = try await database.store.expire(limit: 10)
            let removed = try #require(try await database.store.compose(compose.id))
            #expect(removed.removedBy == "root")
            #expect(removed.stateReason == "Done.\nRemoved by root.")
            guard case .notPossible(.removed) = try await database.store.delete(compose.id, by: admin) else {
                Issue.record("it was removed twice")
                return
            }
        }
    }

    @Test("every transition is published once, in order per compose, with the compose as it was then")
    func events() async throws {
        try await TestDatabase.with { database in
            let compose = try await finished(in: database)
            _ = try await database.store.delete(compose.id, by: admin)
            _ = try await database.store.expire(limit: 10)
            #expect(try await database.published() == ["1 wait", "1 generating", "1 done", "1 removed"])
            #expect(try await database.published(after: 3) == ["1 removed"])
        }
    }

    @Test("the list counts what is removed as well, by whichever filters")
    func total() async throws {
        try await TestDatabase.with { database in
            var tag = ComposeRequest.repo()
            tag.sourceType = .tag
            let repo = try await database.store.submit(.repo(), owner: "a").id
            let removed = [repo, try await database.store.submit(tag, owner: "a").id]
            _ = try await database.store.submit(.repo(), owner: "b")
            // Once to cancel them, once to remove them.
            for id in removed + removed { _ = try await database.store.delete(id, by: Actor(name: "root", isAdmin: true)) }
            #expect(try await database.store.expire(limit: 10).composes.count == 2)

            func total(_ change: (inout ComposeQuery) -> Void) async throws -> Int {
                var query = ComposeQuery()
                change(&query)
                let page = try await database.store.list(query)
                #expect(page.items.count == page.total)
                return page.total
            }
            #expect(try await total { _ in } == 3)
            #expect(try await total { $0.states = [.removed] } == 2)
            #expect(try await total { $0.states = [.wait] } == 1)
            #expect(try await total { $0.states = [.wait, .removed] } == 3)
            #expect(try await total { $0.sourceTypes = [.repo] } == 2)
            #expect(try await total { $0.sourceTypes = [.tag] } == 1)
            #expect(try await total { ($0.sourceTypes, $0.states) = ([.repo], [.removed]) } == 1)
            #expect(try await total { ($0.owners, $0.states) = (["a"], [.removed]) } == 2)
            #expect(try await total { $0.owners = ["b"] } == 1)
        }
    }

    @Test("the list filters, orders and pages")
    func list() async throws {
        try await TestDatabase.with { database in
            for owner in ["a", "b", "a", "c", "a"] { _ = try await database.store.submit(.repo(), owner: owner) }
            var query = ComposeQuery()
            query.owners = ["a"]
            query.perPage = 2
            let first = try await database.store.list(query)
            #expect(first.total == 3)
            #expect(first.items.map(\.id) == first.items.map(\.id).sorted(by: >))
            query.page = 2
            #expect(try await database.store.list(query).items.count == 1)
            query.page = Int.max
            #expect(try await database.store.list(query).items.isEmpty)
            query = ComposeQuery()
            query.owners = ["b", "c"]
            query.states = [.wait]
            query.order = [.init(field: .owner, descending: true)]
            #expect(try await database.store.list(query).items.map(\.owner) == ["c", "b"])
        }
    }
}
