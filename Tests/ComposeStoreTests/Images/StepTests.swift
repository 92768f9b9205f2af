import ComposeTestKit
import Foundation
import ImageModel
import Postgres
import Testing

@testable import ComposeStore

@Suite struct StepTests {
    private let retries = RetryPolicy(attempts: 3, firstDelay: .zero)
    private let transient = BuildFailure(.registryUnreachable, "The registry did not answer.", isTransient: true)
    private let permanent = BuildFailure(.buildFailed, "RUN false exited with 1.", log: ["+ false"])

    private func outcomes(_ database: TestDatabase) async throws -> [String] {
        try await database.pool.query(
            "SELECT step_id || ' ' || number || ' ' || worker || ' ' || coalesce(outcome, 'open') AS text FROM attempts ORDER BY step_id, number"
        ).map { try $0.decode(String.self, "text") }
    }

    @Test("a step is claimed by one worker only")
    func claimedOnce() async throws {
        try await TestDatabase.with(size: 8) { database in
            for number in 0..<8 { _ = try await database.build(of: database.image("i\(number)")) }
            let claimed = try await withThrowingTaskGroup(of: [Int].self) { group in
                for worker in 0..<6 {
                    group.addTask {
                        var ids: [Int] = []
                        while let lease = try await database.store.claimStep(
                            by: "w\(worker)", offering: TestDatabase.everything, for: .seconds(60))
                        {
                            ids.append(lease.step.id)
                        }
                        return ids
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(claimed.count == 16)
            #expect(Set(claimed).count == 16)
            #expect(try await database.store.list(BuildQuery()).items.allSatisfy { $0.state == .building })
        }
    }

    @Test("a build leaves out a platform that fails, if the definition allows it, and the image in use stays")
    func leftOut() async throws {
        try await TestDatabase.with { database in
            var image = try await database.image("app")
            let before = try await database.build(of: image)
            try await database.doSteps()
            let inUse = try await database.store.manifests(of: image.id)
            image.definition.requiredPlatforms = [TestDatabase.amd64]
            let build = try await database.build(of: image)
            let arm64 = try await database.claim(StepOffer(platforms: [TestDatabase.arm64]))
            #expect(try await database.store.fail(arm64, with: permanent, retries: retries) == .failed)
            #expect(try await database.build(build.id).state == .building)
            #expect(try await database.doSteps() == ["\(build.id) linux/amd64", "\(build.id) list"])
            let done = try await database.build(build.id)
            #expect(done.state == .done)
            #expect(done.platformsLeftOut == [TestDatabase.arm64])
            #expect(done.stateReason == "linux/arm64 failed and was left out, so the tag latest stays where it is.")
            #expect(done.steps.map(\.state) == [.done, .failed, .done])
            #expect(done.steps[1].failure == permanent)
            #expect(try await database.store.manifests(of: image.id) == inUse)
            #expect(try await database.build(before.id).stateReason == nil)
        }
    }

    @Test("a manifest list can be claimed without any platform, and platforms without it")
    func lists() async throws {
        try await TestDatabase.with { database in
            let build = try await database.build(of: try await database.image("app"))
            let list = TestDatabase.everything.withoutPlatforms
            var platforms = TestDatabase.everything
            platforms.lists = false
            for _ in build.steps.dropLast() {
                #expect(try await database.store.claimStep(by: "w", offering: list, for: .seconds(60)) == nil)
                let lease = try await database.claim(platforms)
                #expect(lease.step.platform != nil)
                _ = try await database.store.finish(lease, digest: .numbered(lease.id))
            }
            #expect(try await database.store.claimStep(by: "w", offering: platforms, for: .seconds(60)) == nil)
            #expect(try await database.claim(list).step.platform == nil)
        }
    }

    @Test("a build fails with a platform that is required, and with the last one that is left")
    func required() async throws {
        try await TestDatabase.with { database in
            for (name, required) in [("a", [TestDatabase.arm64]), ("b", [])] {
                var image = try await database.image(name)
                image.definition.requiredPlatforms = required
                let build = try await database.build(of: image)
                let arm64 = try await database.claim(StepOffer(platforms: [TestDatabase.arm64]))
                _ = try await database.store.fail(arm64, with: permanent, retries: retries)
                if required.isEmpty {
                    #expect(try await database.build(build.id).state == .building)
                    _ = try await database.store.fail(database.claim(), with: permanent, retries: retries)
                }
                let failed = try await database.build(build.id)
                #expect(failed.state == .failed)
                #expect(failed.stateReason == "\(required.isEmpty ? "linux/amd64" : "linux/arm64"): RUN false exited with 1.")
                #expect(failed.steps.allSatisfy { $0.state == .failed })
            }
        }
    }

    @Test("a step goes to a worker that has its platform and the labels that it requires")
    func offers() async throws {
        try await TestDatabase.with { database in
            var definition = TestDatabase.definition([TestDatabase.arm64])
            definition.requires = ["host": "rhel"]
            let image = try await database.image("app")
            _ = try await database.store.submitBuild(of: image.id, BuildRequest(definition), owner: "me", dateTag: TestDatabase.day)
            func claim(_ platform: Platform, _ labels: [String: String]) async throws -> StepLease? {
                try await database.store.claimStep(
                    by: "w", offering: StepOffer(platforms: [platform], labels: labels), for: .seconds(60))
            }
            #expect(try await claim(TestDatabase.amd64, ["host": "rhel"]) == nil)
            #expect(try await claim(TestDatabase.arm64, [:]) == nil)
            #expect(try await claim(TestDatabase.arm64, ["host": "debian"]) == nil)
            #expect(try await claim(TestDatabase.arm64, ["host": "rhel", "disk": "fast"])?.step.platform == TestDatabase.arm64)
        }
    }

    @Test("steps of a greater priority come first, then those that have waited longest")
    func priority() async throws {
        try await TestDatabase.with { database in
            for (name, priority) in [("a", 0), ("b", 5), ("c", 0)] {
                let image = try await database.image(name, [TestDatabase.amd64])
                _ = try await database.store.submitBuild(
                    of: image.id, BuildRequest(image.definition, priority: priority), owner: "me", dateTag: TestDatabase.day)
            }
            #expect(try await [database.claim(), database.claim(), database.claim()].map(\.step.build) == [2, 1, 3])
        }
    }

    @Test("the owners of steps take turns, so many builds of one owner do not delay another one")
    func turns() async throws {
        try await TestDatabase.with { database in
            for number in 0..<10 { _ = try await database.build(of: database.image("i\(number)", [TestDatabase.amd64])) }
            #expect(try await database.doSteps(most: 2).count == 2)
            let image = try await database.image("other", [TestDatabase.amd64])
            let other = try await database.store.submitBuild(
                of: image.id, BuildRequest(image.definition), owner: "other", dateTag: TestDatabase.day)
            let next = try await database.doSteps(most: 4)
            #expect(next.filter { $0.hasPrefix("\(other.id) ") } == ["\(other.id) linux/amd64", "\(other.id) list"])
        }
    }

    @Test("the manifest list can be claimed when all platforms are done, and ends the build")
    func listComesLast() async throws {
        try await TestDatabase.with { database in
            let image = try await database.image("app")
            let build = try await database.build(of: image)
            #expect(build.state == .wait)
            #expect(build.steps.map(\.platform) == [TestDatabase.amd64, TestDatabase.arm64, nil])
            let first = try await database.claim()
            let second = try await database.claim()
            #expect(try await database.build(build.id).state == .building)
            #expect(try await database.store.finish(second, digest: .numbered(2)))
            #expect(try await database.store.claimStep(by: "w", offering: TestDatabase.everything, for: .seconds(60)) == nil)
            #expect(try await database.store.finish(first, digest: .numbered(1)))
            let list = try await database.claim()
            #expect(list.step.platform == nil)
            #expect(try await database.store.finish(list, digest: .numbered(9), tags: [build.dateTag, .latest]))
            let done = try await database.build(build.id)
            #expect(done.state == .done)
            #expect(done.digest == .numbered(9))
            #expect(done.steps.map(\.digest) == [.numbered(1), .numbered(2), .numbered(9)])
            #expect(try await database.store.publishedDigest(of: image.id, tag: .latest) == .numbered(9))
            #expect(try await database.store.publishedDigest(of: image.id, tag: TestDatabase.day) == .numbered(9))
            #expect(
                try await database.store.manifests(of: image.id) == [TestDatabase.amd64: .numbered(1), TestDatabase.arm64: .numbered(2)])
            #expect(try await database.store.finish(list, digest: .numbered(8)) == false, "the lease is over")
        }
    }

    @Test("a step of a lost worker returns to the queue, and counts a failure")
    func lostWorker() async throws {
        try await TestDatabase.with { database in
            _ = try await database.build(of: database.image("app", [TestDatabase.amd64]))
            let lost = try await database.claim(by: "lost")
            #expect(try await database.store.reapSteps(retries: retries) == [])
            try await database.letExpire(lost)
            #expect(try await database.store.reap(retries: retries) == [], "no compose was lost")
            #expect(try await database.store.reapSteps(retries: retries) == [ReapedStep(id: lost.step.id, isRequeued: true)])
            #expect(try await database.store.heartbeat(lost, for: .seconds(60)) == false)
            #expect(try await database.store.finish(lost, digest: .numbered(1)) == false)
            #expect(try await database.store.fail(lost, with: permanent, retries: retries) == .leaseLost)
            let again = try await database.claim(by: "other")
            #expect(again.step.attempts == 2)
            #expect(try await outcomes(database) == ["1 1 lost lost", "1 2 other open"])
            #expect(try await database.store.openAttempts(among: [lost.token, again.token]) == [again.token])
        }
    }

    @Test("after the last attempt the build fails, and its other steps are canceled")
    func lastAttempt() async throws {
        try await TestDatabase.with { database in
            let build = try await database.build(of: database.image("app"))
            let sibling = try await database.claim(StepOffer(platforms: [TestDatabase.arm64]), by: "sibling")
            for attempt in 1...3 {
                let lease = try await database.claim()
                let outcome = try await database.store.fail(lease, with: transient, retries: retries)
                if attempt < 3 { #expect(outcome == .retried(after: .zero)) } else { #expect(outcome == .failed) }
            }
            let failed = try await database.build(build.id)
            #expect(failed.state == .failed)
            #expect(failed.stateReason == "linux/amd64: The registry did not answer.")
            #expect(failed.failure?.code == .registryUnreachable)
            #expect(failed.steps.map(\.failure?.code) == [.registryUnreachable, .canceled, .canceled])
            #expect(failed.steps[1].stateReason == "The build failed at another step: linux/amd64.")
            #expect(try await database.store.heartbeat(sibling, for: .seconds(60)) == false)
            #expect(try await database.store.claimStep(by: "w", offering: TestDatabase.everything, for: .seconds(60)) == nil)
            #expect(try await outcomes(database) == ["1 1 w retry", "1 2 w retry", "1 3 w failed", "2 1 sibling canceled"])
        }
    }

    @Test("a build whose worker is lost every time fails in the end")
    func lostTooOften() async throws {
        try await TestDatabase.with { database in
            let build = try await database.build(of: database.image("app", [TestDatabase.amd64]))
            for attempt in 1...3 {
                try await database.letExpire(database.claim())
                #expect(try await database.store.reapSteps(retries: retries).map(\.isRequeued) == [attempt < 3])
            }
            let failed = try await database.build(build.id)
            #expect(failed.failure?.code == .workerLost)
            #expect(
                failed.steps.first?.failure?.message
                    == "The worker was lost each of the 3 times that this was tried. Its log may show the instruction at which it stopped.")
        }
    }

    @Test("a worker that is lost after other failures is not said to have been lost each time")
    func lostAfterFailures() async throws {
        try await TestDatabase.with { database in
            let build = try await database.build(of: database.image("app", [TestDatabase.amd64]))
            let patient = RetryPolicy(attempts: 8, firstDelay: .zero)
            for _ in 1...4 {
                #expect(try await database.store.fail(database.claim(), with: transient, retries: patient) == .retried(after: .zero))
            }
            try await database.letExpire(database.claim())
            #expect(try await database.store.reapSteps(retries: retries).map(\.isRequeued) == [false])
            #expect(
                try await database.build(build.id).steps.first?.failure?.message
                    == "The worker was lost in the last of 5 attempts, and others had failed before. "
                    + "Its log may show the instruction at which it stopped.")
        }
    }

    @Test("a platform whose image is gone before the list is written is done again, as often as a step may fail")
    func gone() async throws {
        try await TestDatabase.with { database in
            let build = try await database.build(of: database.image("app"))
            let steps = build.steps.map(\.id)
            let failure = BuildFailure(.registryRefused, "It was deleted again.")
            _ = try await database.doSteps(most: 2)
            for attempt in 1...2 {
                let list = try await database.claim()
                #expect(list.step.platform == nil)
                let gone = [TestDatabase.arm64: ImageDigest.numbered(steps[1])]
                let outcome = try await database.store.redo(gone, before: list, orFail: failure, retries: retries)
                #expect(outcome == .retried(after: .zero))
                let waiting = try await database.build(build.id)
                #expect(waiting.state == .building)
                #expect(waiting.steps.map(\.state) == [.done, .wait, .wait])
                #expect(waiting.steps.map(\.blockedBy) == [0, 0, 1])
                #expect(
                    waiting.steps[1].stateReason
                        == "Its image, \(ImageDigest.numbered(steps[1])), was deleted from the registry before the manifest list was written. "
                        + "It is pushed again.")
                #expect(waiting.steps[2].stateReason == "It waits for linux/arm64 again.")
                #expect(try await database.doSteps(most: 1) == ["\(build.id) linux/arm64"])
                #expect(try await database.build(build.id).steps[1].attempts == attempt + 1)
            }
            let list = try await database.claim()
            let gone = [TestDatabase.arm64: ImageDigest.numbered(steps[1])]
            #expect(try await database.store.redo(gone, before: list, orFail: failure, retries: retries) == .failed)
            let failed = try await database.build(build.id)
            #expect(failed.state == .failed)
            #expect(failed.stateReason == "manifest list: It was deleted again.")
            #expect(try await database.store.redo(gone, before: list, orFail: failure, retries: retries) == .leaseLost)
            #expect(
                try await outcomes(database) == [
                    "\(steps[0]) 1 w done", "\(steps[1]) 1 w done", "\(steps[1]) 2 w done", "\(steps[1]) 3 w done", "\(steps[2]) 1 w retry",
                    "\(steps[2]) 2 w retry", "\(steps[2]) 3 w failed",
                ])
        }
    }

    @Test("the steps that wait for a disabled node say so until another worker claims them, and live workers with one are counted")
    func disabledNode() async throws {
        try await TestDatabase.with { database in
            let store = database.store
            let build = try await database.build(of: database.image("app"))
            try await store.workerIsAlive("w", slots: 1)
            try await store.record(nodeProblem: "It lies.", of: "w")
            #expect(try await store.buildStatistics().disabledNodes == 1)
            try await store.explain(waitingFor: StepOffer(platforms: [TestDatabase.amd64]), because: "It waits.")
            #expect(try await database.build(build.id).steps.map(\.stateReason) == ["It waits.", nil, nil])
            _ = try await database.claim(by: "v")
            #expect(try await database.build(build.id).steps.first?.stateReason == nil)
            try await store.record(nodeProblem: nil, of: "w")
            #expect(try await store.buildStatistics().disabledNodes == 0)
        }
    }

    @Test("a step that was given back is claimed again, and no failure is counted")
    func released() async throws {
        try await TestDatabase.with { database in
            _ = try await database.build(of: database.image("app", [TestDatabase.amd64]))
            for _ in 0..<4 { #expect(try await database.store.release(database.claim())) }
            #expect(try await database.store.fail(database.claim(), with: transient, retries: retries) == .retried(after: .zero))
        }
    }

    @Test("a failure keeps the end of the log, in a bounded size")
    func boundedFailure() async throws {
        try await TestDatabase.with { database in
            let build = try await database.build(of: database.image("app", [TestDatabase.amd64]))
            let failure = BuildFailure(
                .buildFailed, String(repeating: "é", count: 100_000), log: (0..<1000).map { "line \($0)\u{1b}[31m" })
            #expect(try await database.store.fail(database.claim(), with: failure, retries: retries) == .failed)
            let stored = try await database.build(build.id)
            #expect(stored.failure?.log.count == 40)
            #expect(stored.failure?.log.last?.hasPrefix("line 999") == true)
            #expect((stored.stateReason?.utf8.count ?? 0) < 20_000)
        }
    }

    @Test("the database itself refuses an illegal transition, and two builds of one image at a time")
    func illegal() async throws {
        try await TestDatabase.with { database in
            let image = try await database.image("app")
            _ = try await database.build(of: image)
            _ = try await database.build(of: image)
            for statement in [
                "UPDATE build_steps SET state = 2 WHERE id = 1", "UPDATE builds SET state = 3 WHERE id = 1",
                "UPDATE builds SET state = 1, time_started = now()", "INSERT INTO build_waits VALUES (1, 2, true)",
                "UPDATE build_steps SET state = 1, lease_token = gen_random_uuid(), lease_expires_at = now() WHERE blocked_by > 0",
            ] {
                await #expect(throws: PostgresError.self, "\(statement)") { _ = try await database.pool.query("\(unsafe: statement)") }
            }
        }
    }
}
