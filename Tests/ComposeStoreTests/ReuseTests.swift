import ComposeModel
import ComposeTestKit
import Foundation
import Testing

@testable import ComposeStore

@Suite struct ReuseTests {
    private let length = Duration.seconds(60)

    private func begin(_ request: ComposeRequest, in database: TestDatabase) async throws -> ComposeLease {
        _ = try await database.store.submit(request, owner: "me")
        return try #require(try await database.store.claim(by: "w", for: length))
    }

    private func settle(_ lease: ComposeLease, at pin: String = "sha256:00", in database: TestDatabase) async throws -> Settlement {
        try await database.store.settle(
            lease, as: .pinned(lease.compose.request, at: pin), source: "/srv/repo", reason: { "It shows compose \($0)." })
    }

    private func finish(_ lease: ComposeLease, packagesKey: String? = nil, in database: TestDatabase) async throws {
        #expect(
            try await database.store.finish(
                lease, composeID: "odcs-1-1-20261121.t.0", packagesKey: packagesKey, packages: 1, bytes: 1, reason: "Done."
            ) { _ in })
    }

    /// Begins a compose of which it is known that nothing with the same inputs exists.
    private func settled(_ request: ComposeRequest = .repo(), at pin: String, in database: TestDatabase) async throws -> ComposeLease {
        let lease = try await begin(request, in: database)
        #expect(try await settle(lease, at: pin, in: database) == .build)
        return lease
    }

    private func settle(_ lease: ComposeLease, packagesKey: String, in database: TestDatabase) async throws -> Settlement {
        try await database.store.settle(lease, packagesKey: packagesKey) { "It shows compose \($0)." }
    }

    @Test("a compose whose inputs are others but whose packages are the same shows the result of the earlier one, and keeps its own record")
    func samePackages() async throws {
        try await TestDatabase.with { database in
            let first = try await settled(.repo(secondsToLive: 100), at: "sha256:00", in: database)
            #expect(try await settle(first, packagesKey: "k", in: database) == .build)
            try await finish(first, packagesKey: "k", in: database)

            let second = try await settled(.repo(secondsToLive: 5000), at: "sha256:01", in: database)
            #expect(try await settle(second, packagesKey: "k", in: database) == .reused(first.compose.id))
            let older = try #require(try await database.store.compose(first.compose.id))
            let newer = try #require(try await database.store.compose(second.compose.id))
            #expect(newer.state == .done)
            #expect(newer.resultOf == older.id)
            #expect(newer.stateReason == "It shows compose \(older.id).")
            #expect(newer.specification?.pins.repositories.map(\.repomd) == ["sha256:01"])
            #expect(older.timeToExpire == newer.timeToExpire)

            let other = try await settled(at: "sha256:02", in: database)
            #expect(try await settle(other, packagesKey: "another", in: database) == .build)
        }
    }

    @Test(
        "packages that are the same are no reason to show a result that is over, one to a request with no_reuse, or one whose key is not known"
    )
    func samePackagesNotShown() async throws {
        try await TestDatabase.with { database in
            let unknown = try await settled(at: "sha256:00", in: database)
            try await finish(unknown, in: database)
            let first = try await settled(.repo(), at: "sha256:01", in: database)
            #expect(try await settle(first, packagesKey: "k", in: database) == .build)
            try await finish(first, packagesKey: "k", in: database)

            let forced = try await settled(.repo(flags: .noReuse), at: "sha256:02", in: database)
            #expect(try await settle(forced, packagesKey: "k", in: database) == .build)
            _ = try await database.store.delete(first.compose.id, by: Actor(name: "admin", isAdmin: true))
            _ = try await database.store.expire(limit: 10)
            let late = try await settled(at: "sha256:03", in: database)
            #expect(try await settle(late, packagesKey: "k", in: database) == .build)
        }
    }

    @Test("of two that come to the same packages while both are under way, each builds; whoever lost its lease is told")
    func samePackagesUnderWay() async throws {
        try await TestDatabase.with { database in
            let first = try await settled(at: "sha256:00", in: database)
            let second = try await settled(at: "sha256:01", in: database)
            #expect(try await settle(first, packagesKey: "k", in: database) == .build)
            #expect(try await settle(second, packagesKey: "k", in: database) == .build)
            try await finish(first, packagesKey: "k", in: database)
            try await finish(second, packagesKey: "k", in: database)
            let third = try await settled(at: "sha256:02", in: database)
            #expect(try await settle(third, packagesKey: "k", in: database) == .reused(second.compose.id))
            #expect(try await settle(third, packagesKey: "k", in: database) == .leaseLost)
        }
    }

    @Test("those that joined a compose are done with it when it shows a result with the same packages")
    func samePackagesJoined() async throws {
        try await TestDatabase.with { database in
            let first = try await settled(at: "sha256:00", in: database)
            try await finish(first, packagesKey: "k", in: database)
            let second = try await settled(at: "sha256:01", in: database)
            let joined = try await begin(.repo(), in: database)
            #expect(try await settle(joined, at: "sha256:01", in: database) == .joined(second.compose.id))
            #expect(try await settle(second, packagesKey: "k", in: database) == .reused(first.compose.id))
            let compose = try #require(try await database.store.compose(joined.compose.id))
            #expect(compose.state == .done)
            #expect(compose.resultOf == first.compose.id)
        }
    }

    @Test("a compose equal to one that is done shows its result, and both expire at the later time")
    func reusesDone() async throws {
        try await TestDatabase.with { database in
            let first = try await begin(.repo(secondsToLive: 100), in: database)
            #expect(try await settle(first, in: database) == .build)
            try await finish(first, in: database)

            let second = try await begin(.repo(secondsToLive: 5000), in: database)
            #expect(try await settle(second, in: database) == .reused(first.compose.id))
            let older = try #require(try await database.store.compose(first.compose.id))
            let newer = try #require(try await database.store.compose(second.compose.id))
            #expect(newer.state == .done)
            #expect(newer.resultOf == older.id)
            #expect(newer.stateReason == "It shows compose \(older.id).")
            #expect(older.timeToExpire == newer.timeToExpire)
        }
    }

    @Test("a compose equal to one under way joins it and is done with it")
    func joins() async throws {
        try await TestDatabase.with { database in
            let first = try await begin(.repo(), in: database)
            _ = try await settle(first, in: database)
            let second = try await begin(.repo(), in: database)
            #expect(try await settle(second, in: database) == .joined(first.compose.id))
            #expect(try await database.store.compose(second.compose.id)?.state == .generating)
            #expect(try await database.store.reap(retries: RetryPolicy()) == [])
            try await finish(first, in: database)
            let joined = try #require(try await database.store.compose(second.compose.id))
            #expect(joined.state == .done)
            #expect(joined.resultOf == first.compose.id)
        }
    }

    @Test("of many equal composes that are pinned at the same time one builds and all others join")
    func concurrentSettling() async throws {
        try await TestDatabase.with(size: 10) { database in
            var leases: [ComposeLease] = []
            for _ in 0..<10 { leases.append(try await begin(.repo(), in: database)) }
            let settlements = try await withThrowingTaskGroup(of: Settlement.self) { group in
                for lease in leases {
                    group.addTask {
                        try await database.store.settle(lease, as: .pinned(lease.compose.request), source: "s", reason: { _ in "" })
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(settlements.filter { $0 == .build }.count == 1)
            #expect(Set(settlements.filter { $0 != .build }).count == 1)
        }
    }

    @Test("a compose that joined one that fails, fails with it for the same reason")
    func joinedFails() async throws {
        try await TestDatabase.with { database in
            let first = try await begin(.repo(), in: database)
            _ = try await settle(first, in: database)
            let second = try await begin(.repo(), in: database)
            _ = try await settle(second, in: database)
            let failure = ComposeFailure(.packageNotFound, "There is no such package.")
            _ = try await database.store.fail(first, with: failure, retries: RetryPolicy())
            #expect(try await database.store.compose(second.compose.id)?.failure == failure)
        }
    }

    @Test("when the joined compose is canceled, those that joined it go back to the queue")
    func joinedCanceled() async throws {
        try await TestDatabase.with { database in
            let first = try await begin(.repo(), in: database)
            _ = try await settle(first, in: database)
            let second = try await begin(.repo(), in: database)
            _ = try await settle(second, in: database)
            guard case .canceled = try await database.store.delete(first.compose.id, by: Actor(name: "me", isAdmin: false)) else {
                Issue.record("it was not canceled")
                return
            }
            #expect(try await database.store.compose(second.compose.id)?.state == .wait)
            let again = try #require(try await database.store.claim(by: "w", for: length))
            #expect(again.compose.id == second.compose.id)
            #expect(try await settle(again, in: database) == .build)
        }
    }

    @Test("those that joined a compose follow it when it joins another one itself")
    func joinedFollows() async throws {
        try await TestDatabase.with { database in
            let first = try await begin(.repo(), in: database)
            _ = try await settle(first, in: database)
            let second = try await begin(.repo(), in: database)
            _ = try await settle(second, in: database)
            // The first is given back; a third begins to build meanwhile, which the first then joins.
            #expect(try await database.store.release(first))
            let third = try await begin(.repo(flags: .noReuse), in: database)
            let other = third.compose.id == first.compose.id ? try #require(try await database.store.claim(by: "w", for: length)) : third
            let firstAgain =
                third.compose.id == first.compose.id ? third : try #require(try await database.store.claim(by: "w", for: length))
            #expect(try await settle(other, in: database) == .build)
            #expect(try await settle(firstAgain, in: database) == .joined(other.compose.id))
            try await finish(other, in: database)
            for id in [first.compose.id, second.compose.id] {
                let compose = try #require(try await database.store.compose(id))
                #expect(compose.state == .done)
                #expect(compose.resultOf == other.compose.id)
            }
        }
    }

    @Test("other pins, no_reuse or an expired result make a compose build anew", arguments: ["pins", "no_reuse", "expired"])
    func notReused(_ why: String) async throws {
        try await TestDatabase.with { database in
            let first = try await begin(.repo(), in: database)
            _ = try await settle(first, in: database)
            try await finish(first, in: database)
            if why == "expired" {
                _ = try await database.store.delete(first.compose.id, by: Actor(name: "root", isAdmin: true))
                _ = try await database.store.expire(limit: 10)
            }
            let second = try await begin(.repo(flags: why == "no_reuse" ? .noReuse : []), in: database)
            #expect(try await settle(second, at: why == "pins" ? "sha256:01" : "sha256:00", in: database) == .build)
        }
    }
}
