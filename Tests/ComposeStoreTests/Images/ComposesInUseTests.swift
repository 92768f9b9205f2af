import ComposeModel
import ComposeTestKit
import ImageModel
import Postgres
import Testing

@testable import ComposeStore

/// A compose that builds install packages from stays until they have ended.
@Suite struct ComposesInUseTests {
    private let admin = Actor(name: "root", isAdmin: true)

    /// A compose that is done and whose time is over.
    private func expiredCompose(in database: TestDatabase) async throws -> Int {
        let request = ComposeRequest.repo(secondsToLive: 3600)
        let id = try await database.store.submit(request, owner: "me").id
        let lease = try #require(try await database.store.claim(by: "w", for: .seconds(60)))
        #expect(try await database.store.settle(lease, as: .pinned(request), source: "/srv/repo", reason: { _ in "same" }) == .build)
        _ = try await database.store.finish(lease, composeID: "x", packages: 1, bytes: 1, reason: "Done.") { _ in }
        try await database.setExpiry(to: "now()")
        return id
    }

    @Test("a compose of an open build does not expire, and its result stays, until the build has ended")
    func openBuild() async throws {
        try await TestDatabase.with { database in
            let image = try await database.image("base", [TestDatabase.amd64])
            let compose = try await expiredCompose(in: database)
            _ = try await database.store.submitBuild(
                of: image.id, BuildRequest(image.definition), owner: "me", dateTag: TestDatabase.day, composes: [compose])
            #expect(try await database.store.expire(limit: 1) == Expired())
            try await database.doSteps(most: 1)
            #expect(try await database.store.expire(limit: 1) == Expired())
            try await database.doSteps()
            #expect(try await database.store.expire(limit: 1) == Expired(composes: [compose], retired: [compose]))
        }
    }

    @Test("a compose that a rebuild waits for does not expire, and does once the rebuild has no plan or is canceled")
    func waitingRebuild() async throws {
        try await TestDatabase.with { database in
            for ending in 0..<2 {
                let compose = try await expiredCompose(in: database)
                let rebuild = try await database.store.submitRebuild(
                    nil, for: compose, because: RebuildReason(), owner: "me", dateTag: TestDatabase.day)
                #expect(rebuild.state == .wait)
                #expect(try await database.store.expire(limit: 1) == Expired())
                if ending == 0 {
                    try await database.store.fail(rebuild: rebuild.id, because: "a circle")
                    #expect(try await database.store.rebuild(rebuild.id)?.problem == "a circle")
                } else {
                    _ = try await database.store.cancelRebuild(rebuild.id, by: TestDatabase.owner)
                }
                #expect(try await database.store.rebuild(rebuild.id)?.state == .failed)
                #expect(try await database.store.expire(limit: 1).composes == [compose])
            }
        }
    }

    @Test("an admin cannot remove a compose before the builds that use it have ended")
    func deletion() async throws {
        try await TestDatabase.with { database in
            let image = try await database.image("base", [TestDatabase.amd64])
            let compose = try await expiredCompose(in: database)
            let build = try await database.store.submitBuild(
                of: image.id, BuildRequest(image.definition), owner: "me", dateTag: TestDatabase.day, composes: [compose])
            guard case .inUse(let builds) = try await database.store.delete(compose, by: admin) else {
                Issue.record("the compose was removed")
                return
            }
            #expect(builds == [build.id])
            _ = try await database.store.cancelBuild(build.id, by: TestDatabase.owner)
            guard case .expired = try await database.store.delete(compose, by: admin) else {
                Issue.record("the compose was not removed")
                return
            }
        }
    }

    @Test("no build can be submitted with a compose that is gone, or that an admin has removed")
    func goneCompose() async throws {
        try await TestDatabase.with { database in
            let image = try await database.image("base", [TestDatabase.amd64])
            let compose = try await expiredCompose(in: database)
            func submit(_ compose: Int) async throws {
                _ = try await database.store.submitBuild(
                    of: image.id, BuildRequest(image.definition), owner: "me", dateTag: TestDatabase.day, composes: [compose])
            }
            await #expect(throws: ComposeNotUsable(compose: 77, state: nil)) { try await submit(77) }
            _ = try await database.store.delete(compose, by: admin)
            await #expect(throws: ComposeNotUsable(compose: compose, state: .done)) { try await submit(compose) }
            _ = try await database.store.expire(limit: 1)
            await #expect(throws: ComposeNotUsable(compose: compose, state: .removed)) { try await submit(compose) }
            #expect(
                ComposeNotUsable(compose: 12, state: .removed).description
                    == "Compose 12 was removed, so no build can use it. Renew it, and use the new compose.")
            #expect(try await database.store.list(BuildQuery()).total == 0)
        }
    }

    @Test("a submission and the expirer that meet leave either a build with its compose, or neither")
    func race() async throws {
        try await TestDatabase.with { database in
            let image = try await database.image("base", [TestDatabase.amd64])
            for _ in 0..<10 {
                let compose = try await expiredCompose(in: database)
                async let expired = database.store.expire(limit: 1)
                let build = try? await database.store.submitBuild(
                    of: image.id, BuildRequest(image.definition), owner: "me", dateTag: TestDatabase.day, composes: [compose])
                let gone = try await expired.composes == [compose]
                #expect(gone == (build == nil))
                if let build { _ = try await database.store.cancelBuild(build.id, by: TestDatabase.owner) }
                _ = try await database.store.expire(limit: 1)
            }
        }
    }
}
