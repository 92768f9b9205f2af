import ComposeModel
import ComposeTestKit
import Foundation
import Postgres
import Testing

@testable import ComposeStore

@Suite struct QueueTests {
    private let length = Duration.seconds(60)
    private let retries = RetryPolicy(attempts: 3, firstDelay: .zero)
    private let transient = ComposeFailure(.sourceUnreachable, "The repository did not answer.", isTransient: true)

    /// Ends a lease's time, as if its worker had been silent for too long.
    private func letExpire(_ lease: ComposeLease, in database: TestDatabase) async throws {
        _ = try await database.pool.query("UPDATE composes SET lease_expires_at = now() - interval '1 s' WHERE id = \(lease.compose.id)")
    }

    private func claim(_ database: TestDatabase, by worker: String = "w") async throws -> ComposeLease {
        try #require(try await database.store.claim(by: worker, for: length))
    }

    @Test("a submitted compose waits, is claimed once, and nothing is left to claim")
    func claimedOnce() async throws {
        try await TestDatabase.with { database in
            let submitted = try await database.store.submit(.repo(), owner: "me")
            #expect(submitted.state == .wait)
            let lease = try await claim(database)
            #expect(lease.compose.id == submitted.id)
            #expect(lease.compose.state == .generating)
            #expect(lease.compose.attempts == 1)
            #expect(try await database.store.claim(by: "other", for: length) == nil)
        }
    }

    @Test("many workers that claim at once never get the same compose")
    func concurrentClaims() async throws {
        try await TestDatabase.with(size: 12) { database in
            for _ in 0..<60 { _ = try await database.store.submit(.repo(), owner: "me") }
            let claimed = try await withThrowingTaskGroup(of: [Int].self) { group in
                for worker in 0..<12 {
                    group.addTask {
                        var ids: [Int] = []
                        while let lease = try await database.store.claim(by: "w\(worker)", for: .seconds(60)) {
                            ids.append(lease.compose.id)
                        }
                        return ids
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 60)
            #expect(Set(claimed).count == 60)
        }
    }

    @Test("composes of a silent origin rest if others wait, and only then")
    func silentOrigin() async throws {
        try await TestDatabase.with { database in
            let origin = "http://mirror.example"
            var ids: [Int] = []
            for number in 1...3 {
                ids.append(try await database.store.submit(.repo(from: "\(origin)/\(number)"), owner: "me").id)
            }
            try await database.store.rest(repositoriesAt: origin, for: .seconds(3600))
            #expect(try await claim(database).compose.id == ids[0])
            let others = [
                try await database.store.submit(.repo(from: "/srv/repo"), owner: "me").id,
                try await database.store.submit(.repo(from: "\(origin).other/1"), owner: "me").id,
            ]
            try await database.store.rest(repositoriesAt: origin, for: .seconds(3600))
            #expect(try await [claim(database).compose.id, claim(database).compose.id] == others)
            #expect(try await database.store.claim(by: "w", for: length) == nil)
        }
    }

    @Test("the oldest compose is claimed first")
    func order() async throws {
        try await TestDatabase.with { database in
            let ids = try await [
                database.store.submit(.repo(), owner: "a").id, database.store.submit(.repo(), owner: "b").id,
                database.store.submit(.repo(), owner: "c").id,
            ]
            var claimed: [Int] = []
            while let lease = try await database.store.claim(by: "w", for: length) { claimed.append(lease.compose.id) }
            #expect(claimed == ids)
        }
    }

    @Test("a finished compose is done, shows its own result and lives from its end on")
    func finished() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(secondsToLive: 1000), owner: "me").id
            let lease = try await claim(database)
            _ = try await database.store.settle(lease, as: .pinned(lease.compose.request), source: "/srv/repo", reason: { _ in "" })
            #expect(
                try await database.store.finish(
                    lease, composeID: "odcs-1-1-20261121.t.0", packages: 3, bytes: 9, reason: "Done: 3 packages."
                ) { _ in })
            let compose = try #require(try await database.store.compose(id))
            #expect(compose.state == .done)
            #expect(compose.stateReason == "Done: 3 packages.")
            #expect(compose.resultOf == id)
            let done = try #require(compose.timeDone)
            #expect(abs(compose.timeToExpire.timeIntervalSince(done) - 1000) < 0.001)
        }
    }

    @Test("a worker whose lease was reaped changes nothing and publishes nothing")
    func staleWorker() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            let stale = try await claim(database)
            _ = try await database.store.settle(stale, as: .pinned(stale.compose.request), source: "s", reason: { _ in "" })
            try await letExpire(stale, in: database)
            #expect(try await database.store.reap(retries: retries) == [ReapedCompose(id: id, isRequeued: true)])
            let fresh = try await claim(database, by: "other")
            #expect(fresh.compose.attempts == 2)

            #expect(try await database.store.heartbeat(stale, for: length) == false)
            #expect(
                try await database.store.settle(stale, as: .pinned(stale.compose.request), source: "s", reason: { _ in "" }) == .leaseLost)
            #expect(
                try await database.store.finish(stale, composeID: "odcs-1-1-20261121.t.0", packages: 1, bytes: 1, reason: "") { _ in
                    Issue.record("a stale worker published")
                } == false)
            #expect(try await database.store.fail(stale, with: ComposeFailure(.internal, "x"), retries: retries) == .leaseLost)
            #expect(try await database.store.release(stale) == false)
            #expect(try await database.store.heartbeat(fresh, for: length))
            #expect(try await database.store.compose(id)?.state == .generating)
        }
    }

    @Test("a compose whose inputs the database has lost in a crash is not done, and no directory moves")
    func lostInputs() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            _ = try await store.submit(.repo(), owner: "me")
            let lease = try #require(try await store.claim(by: "w", for: .seconds(60)))
            let specification = ComposeSpecification.pinned(lease.compose.request)
            #expect(try await store.settle(lease, as: specification, source: "s", reason: { _ in "" }) == .build)
            let kept = try #require(try await database.pool.query("SELECT specification::text, specification_key FROM composes").first)
            let text = try kept.decode(String.self, "specification")
            let key = try kept.decode(String.self, "specification_key")
            _ = try await database.pool.query("UPDATE composes SET specification = NULL, specification_key = NULL")
            let isDone = try await store.finish(lease, as: specification, composeID: "c", packages: 1, bytes: 1, reason: "made") { _ in
                Issue.record("the directory has moved")
            }
            #expect(!isDone)
            #expect(try await store.compose(lease.compose.id)?.state == .generating)
            _ = try await database.pool.query("UPDATE composes SET specification = \(text)::jsonb, specification_key = \(key)")
            #expect(try await store.finish(lease, as: specification, composeID: "c", packages: 1, bytes: 1, reason: "made") { _ in })
        }
    }

    @Test("when publishing fails nothing is recorded, and the lease still holds")
    func publishingFails() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            let lease = try await claim(database)
            _ = try await database.store.settle(lease, as: .pinned(lease.compose.request), source: "s", reason: { _ in "" })
            await #expect(throws: ComposeFailure.self) {
                try await database.store.finish(lease, composeID: "odcs-1-1-20261121.t.0", packages: 1, bytes: 1, reason: "") { _ in
                    throw ComposeFailure(.storage, "full")
                }
            }
            #expect(try await database.store.compose(id)?.state == .generating)
            #expect(try await database.store.heartbeat(lease, for: length))
        }
    }

    @Test("a transient failure goes back to the queue, as often as the policy allows, then fails for good")
    func retries() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            for _ in 1...2 {
                guard case .retried = try await database.store.fail(claim(database), with: transient, retries: retries) else {
                    Issue.record("it was not tried again")
                    return
                }
                let waiting = try #require(try await database.store.compose(id))
                #expect(waiting.state == .wait)
                #expect(waiting.stateReason?.contains("The repository did not answer.") == true)
            }
            #expect(try await database.store.fail(claim(database), with: transient, retries: retries) == .failed)
            let failed = try #require(try await database.store.compose(id))
            #expect(failed.state == .failed)
            #expect(failed.stateReason == "The repository did not answer. (It was tried 3 times.)")
            #expect(failed.failure?.code == .sourceUnreachable)
        }
    }

    @Test("a permanent failure fails at once")
    func permanentFailure() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            let failure = ComposeFailure(.packageNotFound, "There is no package edd.", details: [.init(package: "edd", nearest: ["ed"])])
            #expect(try await database.store.fail(claim(database), with: failure, retries: retries) == .failed)
            #expect(try await database.store.compose(id)?.failure == failure)
        }
    }

    @Test("a released lease gives the attempt back: it does not count as a failure")
    func released() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            for _ in 1...5 { #expect(try await database.store.release(claim(database))) }
            let compose = try #require(try await database.store.compose(id))
            #expect(compose.state == .wait)
            #expect(compose.attempts == 5)
            guard case .retried = try await database.store.fail(claim(database), with: transient, retries: retries) else {
                Issue.record("releases counted as failures")
                return
            }
        }
    }

    @Test("a compose that gives way rests, says why, and nothing waits meanwhile")
    func gaveWay() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            #expect(try await database.store.hasWaiting(for: "a worker"))
            #expect(try await database.store.release(claim(database), after: .seconds(60), because: "The source is silent."))
            let compose = try #require(try await database.store.compose(id))
            #expect(compose.state == .wait)
            #expect(compose.stateReason == "The source is silent.")
            #expect(try await database.store.hasWaiting(for: "a worker") == false)
            #expect(try await database.store.claim(by: "a worker", for: length) == nil)
        }
    }

    @Test("of a failure the first findings are stored, and the number of the others")
    func boundedFailure() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            let details = (0..<1000).map { ComposeFailure.Detail(package: "p\($0)") }
            let failure = ComposeFailure(.packageNotFound, String(repeating: "é", count: 100_000), details: details)
            #expect(try await database.store.fail(claim(database), with: failure, retries: retries) == .failed)
            let stored = try #require(try await database.store.compose(id))
            #expect(stored.failure?.details == details.prefix(20) + [.init(text: "and 980 more")])
            #expect(stored.stateReason?.utf8.count ?? 0 < 17_000)
            #expect(stored.stateReason?.hasSuffix("… (183616 more bytes; the log of the compose has all of them)") == true)
        }
    }

    @Test("a compose that loses its worker every time fails in the end, and says so")
    func lostTooOften() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            for attempt in 1...3 {
                try await letExpire(claim(database), in: database)
                #expect(try await database.store.reap(retries: retries) == [ReapedCompose(id: id, isRequeued: attempt < 3)])
            }
            #expect(try await database.store.compose(id)?.failure?.code == .workerLost)
        }
    }

    @Test("a lease that still runs is not reaped")
    func livingLease() async throws {
        try await TestDatabase.with { database in
            _ = try await database.store.submit(.repo(), owner: "me")
            let lease = try await claim(database)
            #expect(try await database.store.reap(retries: retries) == [])
            #expect(try await database.store.openAttempts(among: [lease.token, UUID()]) == [lease.token])
        }
    }

    @Test("the database itself refuses an illegal transition")
    func illegalTransition() async throws {
        try await TestDatabase.with { database in
            let id = try await database.store.submit(.repo(), owner: "me").id
            await #expect(throws: PostgresError.self) {
                _ = try await database.pool.query("UPDATE composes SET state = 3, time_removed = now() WHERE id = \(id)")
            }
        }
    }
}
