import ComposeModel
import ComposeTestKit
import Foundation
import ImageModel
import Postgres
import Synchronization
import Testing

@testable import ComposeStore

/// Images, builds, and builds that wait for others.
@Suite struct BuildTests {
    private let retries = RetryPolicy(attempts: 1)
    private let permanent = BuildFailure(.buildFailed, "RUN false exited with 1.")
    private let stranger = Actor(name: "stranger", isAdmin: false)

    /// Submits a build on top of others.
    private func build(of image: Image, on parents: [Build], in database: TestDatabase) async throws -> Build {
        let id = try await database.store.changingBuilds { connection in
            try await database.store.insert(
                NewBuild(
                    image: image.id, owner: "me", request: BuildRequest(image.definition), dateTag: TestDatabase.day,
                    parents: parents.map(\.id)), on: connection)
        }
        return try await database.build(id)
    }

    @Test("an image is added, found by its name, changed by its owner, and removed")
    func images() async throws {
        try await TestDatabase.with { database in
            let image = try await database.image("app")
            #expect(try await database.store.image(named: image.repository) == image)
            guard case .notAllowed = try await database.store.addImage(image.repository, as: image.definition, by: stranger) else {
                Issue.record("a stranger changed the image")
                return
            }
            var definition = image.definition
            definition.arguments = ["VERSION": "2"]
            guard case .changed(let changed) = try await database.store.addImage(image.repository, as: definition, by: TestDatabase.owner)
            else {
                Issue.record("the owner did not change the image")
                return
            }
            #expect(changed.id == image.id)
            #expect(changed.definition.arguments == ["VERSION": "2"])
            #expect(try await database.store.removeImage(image.id, by: stranger) == false)
            #expect(try await database.store.removeImage(image.id, by: TestDatabase.owner))
            #expect(try await database.store.image(named: image.repository) == nil)
            #expect(try await database.store.image(image.id)?.timeRemoved != nil)
            #expect(try await database.store.images().total == 0)
            #expect(try await database.image("app").id != image.id, "the name is free again")
        }
    }

    @Test("the second build of a day gets another tag, and waits for the first one")
    func secondOfTheDay() async throws {
        try await TestDatabase.with { database in
            let image = try await database.image("app", [TestDatabase.amd64])
            let builds = [try await database.build(of: image), try await database.build(of: image), try await database.build(of: image)]
            #expect(builds.map(\.dateTag.text) == ["20261129", "20261129.2", "20261129.3"])
            #expect(builds.map(\.waitsFor) == [[], [1], [1, 2]])
            #expect(try await database.build(of: database.image("other")).dateTag.text == "20261129")
            let first = try await database.claim()
            #expect(first.step.build == 1)
            #expect(try await database.claim(StepOffer(platforms: [TestDatabase.amd64])).step.build == 4)
            // A failure lets the next build of the image begin as well.
            #expect(try await database.store.fail(first, with: permanent, retries: retries) == .failed)
            #expect(try await database.doSteps() == ["2 linux/amd64", "2 list", "3 linux/amd64", "3 list", "4 linux/arm64"])
        }
    }

    @Test("a build on top of others waits for all of them")
    func parents() async throws {
        try await TestDatabase.with { database in
            let base = try await database.build(of: database.image("base", [TestDatabase.amd64]))
            let tools = try await database.build(of: database.image("tools", [TestDatabase.amd64]))
            let app = try await build(of: database.image("app", [TestDatabase.amd64]), on: [base, tools], in: database)
            #expect(app.waitsFor == [base.id, tools.id])
            #expect(app.steps.map(\.blockedBy) == [2, 1])
            #expect(
                try await database.doSteps()
                    == ["1 linux/amd64", "1 list", "2 linux/amd64", "2 list", "3 linux/amd64", "3 list"])
        }
    }

    @Test("if a build fails, those on top of it fail, and say which one was the cause")
    func parentFailed() async throws {
        try await TestDatabase.with { database in
            let base = try await database.build(of: database.image("base", [TestDatabase.amd64]))
            let app = try await build(of: database.image("app"), on: [base], in: database)
            let web = try await build(of: database.image("web"), on: [base, app], in: database)
            let other = try await database.build(of: database.image("other", [TestDatabase.amd64]))
            #expect(try await database.store.fail(database.claim(), with: permanent, retries: retries) == .failed)
            let failed = try await database.build(app.id)
            #expect(failed.state == .failed)
            #expect(failed.failure?.code == .parentFailed)
            #expect(
                failed.stateReason == "Build 1, which this build is on top of, failed: linux/amd64: RUN false exited with 1.")
            #expect(failed.steps.allSatisfy { $0.state == .failed })
            #expect(try await database.build(web.id).failure?.code == .parentFailed)
            #expect(try await database.build(other.id).state == .wait)
        }
    }

    @Test("canceling a build ends its steps and the builds on top of it, and a worker notices")
    func cancel() async throws {
        try await TestDatabase.with { database in
            let base = try await database.build(of: database.image("base"))
            let app = try await build(of: database.image("app"), on: [base], in: database)
            let lease = try await database.claim()
            guard case .notAllowed(let reason) = try await database.store.cancelBuild(base.id, by: stranger) else {
                Issue.record("a stranger canceled the build")
                return
            }
            #expect(reason == "only me, the owner of build 1, or an admin can cancel it")
            guard case .canceled(let canceled) = try await database.store.cancelBuild(base.id, by: TestDatabase.owner) else {
                Issue.record("the build was not canceled")
                return
            }
            #expect(canceled.state == .failed)
            #expect(canceled.stateReason == "Canceled by me")
            #expect(canceled.steps.allSatisfy { $0.state == .failed && $0.failure?.code == .canceled })
            #expect(try await database.store.heartbeat(lease, for: .seconds(60)) == false)
            #expect(try await database.build(app.id).failure?.code == .parentFailed)
            guard case .notPossible(.failed) = try await database.store.cancelBuild(base.id, by: TestDatabase.owner) else {
                Issue.record("a build was canceled twice")
                return
            }
            #expect(try await database.store.cancelBuild(4711, by: TestDatabase.owner) == nil)
        }
    }

    @Test("workers that end steps of one build at the same time neither block nor lose each other")
    func concurrentEnds() async throws {
        try await TestDatabase.with(size: 8) { database in
            for number in 0..<8 { _ = try await database.build(of: database.image("i\(number)")) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<6 {
                    group.addTask {
                        while let lease = try await database.store.claimStep(
                            by: "w\(worker)", offering: TestDatabase.everything, for: .seconds(60))
                        {
                            if worker == 0, lease.step.platform != nil {
                                _ = try await database.store.fail(lease, with: permanent, retries: retries)
                            } else if worker == 1 {
                                _ = try await database.store.release(lease, after: .milliseconds(1))
                            } else {
                                _ = try await database.store.finish(lease, digest: .numbered(lease.step.id))
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            // A step that was given back last may still rest.
            _ = try await database.pool.query("UPDATE build_steps SET available_at = now()")
            try await database.doSteps()
            var query = BuildQuery()
            query.perPage = 100
            let builds = try await database.store.list(query).items
            #expect(builds.count == 8)
            #expect(builds.allSatisfy { $0.state.isFinal })
            let open = try await database.pool.query("SELECT step_id FROM attempts WHERE ended_at IS NULL")
            #expect(open.isEmpty)
        }
    }

    @Test("each transition of a build is published once, apart from those of composes")
    func events() async throws {
        try await TestDatabase.with { database in
            _ = try await database.store.submit(.repo(), owner: "me")
            _ = try await database.build(of: database.image("app"))
            try await database.doSteps()
            #expect(try await database.published() == ["1 wait", "build 1 wait", "build 1 building", "build 1 done"])
        }
    }
}
