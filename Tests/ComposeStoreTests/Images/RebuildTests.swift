import ComposeModel
import ComposeTestKit
import Foundation
import ImageModel
import Postgres
import Testing

@testable import ComposeStore

@Suite struct RebuildTests {
    private let reason = RebuildReason(advisory: "RHSA-2026:1234", cves: ["CVE-2026-1"])

    private func compose(_ database: TestDatabase) async throws -> Int { try await database.store.submit(.repo(), owner: "me").id }

    /// A chain of images, each on top of the one before.
    private func chain(_ names: [String], in database: TestDatabase) async throws -> RebuildPlan {
        var rows: [RebuildPlan.Row] = []
        for name in names {
            let image = try await database.image(name, [TestDatabase.amd64])
            let finding = AffectedImages.Finding(
                installed: .named("openssl-libs 1:3.0.7-27"), newest: EVR(epoch: 1, version: "3.0.7", release: "28"))
            rows.append(
                RebuildPlan.Row(
                    image: image.id, decision: .build, reason: "has an older build", parents: rows.suffix(1).map(\.image),
                    findings: [.init(platform: TestDatabase.amd64, findings: [finding])]))
        }
        return RebuildPlan(rows: rows)
    }

    private func submit(_ plan: RebuildPlan, for compose: Int, in database: TestDatabase) async throws -> Rebuild {
        try await database.store.submitRebuild(plan, for: compose, because: reason, owner: "me", dateTag: TestDatabase.day)
    }

    @Test("a rebuild builds parents before their children, and keeps its plan")
    func order() async throws {
        try await TestDatabase.with { database in
            var plan = try await chain(["base", "app", "web"], in: database)
            let vendor = try await database.image("vendor")
            plan.rows.append(RebuildPlan.Row(image: vendor.id, decision: .cannotHelp, reason: "comes with vendor/ubi"))
            let rebuild = try await submit(plan, for: compose(database), in: database)
            #expect(rebuild.rows.map(\.plan) == plan.rows)
            #expect(rebuild.rows.map(\.build) == [1, 2, 3, nil])
            #expect(rebuild.rows.map(\.state) == [.wait, .wait, .wait, nil])
            #expect(rebuild.reason == reason)
            #expect(try await database.build(2).waitsFor == [1])
            #expect(try await database.build(2).composes == [rebuild.compose])
            #expect(
                try await database.doSteps()
                    == ["1 linux/amd64", "1 list", "2 linux/amd64", "2 list", "3 linux/amd64", "3 list"])
            #expect(try await database.store.rebuild(rebuild.id)?.rows.map(\.state) == [.done, .done, .done, nil])
            #expect(try await database.store.rebuilds().items.map(\.id) == [rebuild.id])
        }
    }

    @Test("two rebuilds with one compose build each image once, whenever the second one comes")
    func join() async throws {
        for steps in 0...4 {
            try await TestDatabase.with { database in
                let plan = try await chain(["base", "app"], in: database)
                let compose = try await compose(database)
                let first = try await submit(plan, for: compose, in: database)
                let lease = steps.isMultiple(of: 2) ? nil : try await database.claim()
                if lease == nil { try await database.doSteps(most: steps) }
                // An image that is done is in no plan: nothing is older any more.
                var rest = plan
                for row in first.rows {
                    let build = try await database.build(#require(row.build))
                    if build.state == .done { rest.rows.removeAll { $0.image == build.image } }
                }
                let second = try await submit(rest, for: compose, in: database)
                #expect(second.rows.allSatisfy { $0.plan.decision == .join }, "after \(steps) steps")
                #expect(second.rows.map(\.build) == first.rows.suffix(rest.rows.count).map(\.build))
                #expect(try await database.store.list(BuildQuery()).total == 2)
            }
        }
    }

    @Test("a rebuild with another compose joins builds that have not begun, which get both composes")
    func joinWithAnotherCompose() async throws {
        try await TestDatabase.with { database in
            let plan = try await chain(["base", "app"], in: database)
            let composes = [try await compose(database), try await compose(database)]
            _ = try await submit(plan, for: composes[0], in: database)
            let second = try await submit(plan, for: composes[1], in: database)
            #expect(second.rows.map(\.build) == [1, 2])
            #expect(try await database.build(1).composes == composes)
        }
    }

    @Test("a rebuild with another compose builds again after a build that has begun")
    func afterOneThatHasBegun() async throws {
        try await TestDatabase.with { database in
            let plan = try await chain(["base", "app"], in: database)
            _ = try await submit(plan, for: compose(database), in: database)
            let lease = try await database.claim()
            let second = try await submit(plan, for: compose(database), in: database)
            #expect(second.rows.map(\.plan.decision) == [.build, .build])
            #expect(second.rows.map(\.build) == [3, 4])
            #expect(try await database.build(3).waitsFor == [1])
            #expect(try await database.build(4).waitsFor == [2, 3])
            #expect(try await database.store.finish(lease, digest: .numbered(1)))
            let steps = try await database.doSteps()
            #expect(steps.filter { $0.hasSuffix("list") } == ["1 list", "2 list", "3 list", "4 list"])
        }
    }

    @Test("a build that a person asked for is joined by no rebuild")
    func manualBuild() async throws {
        try await TestDatabase.with { database in
            let plan = try await chain(["base"], in: database)
            let image = try #require(try await database.store.image(plan.rows[0].image))
            _ = try await database.build(of: image)
            #expect(try await submit(plan, for: compose(database), in: database).rows.map(\.build) == [2])
        }
    }

    @Test("canceling a rebuild cancels the builds that no other rebuild needs")
    func cancel() async throws {
        try await TestDatabase.with { database in
            let plan = try await chain(["base", "app", "web"], in: database)
            let compose = try await compose(database)
            let first = try await submit(plan, for: compose, in: database)
            let second = try await submit(RebuildPlan(rows: Array(plan.rows.prefix(2))), for: compose, in: database)
            guard case .notAllowed = try await database.store.cancelRebuild(first.id, by: Actor(name: "stranger", isAdmin: false)) else {
                Issue.record("a stranger canceled the rebuild")
                return
            }
            guard case .canceled(let canceled) = try await database.store.cancelRebuild(first.id, by: TestDatabase.owner) else {
                Issue.record("the rebuild was not canceled")
                return
            }
            #expect(canceled.canceledBy == "me")
            #expect(canceled.rows.map(\.state) == [.wait, .wait, .failed])
            guard case .canceled(let other) = try await database.store.cancelRebuild(second.id, by: TestDatabase.owner) else { return }
            #expect(other.rows.map(\.state) == [.failed, .failed])
            #expect(try await database.build(2).stateReason?.hasPrefix("Build 1, which this build is on top of, failed") == true)
        }
    }

    @Test("an image that was removed since the plan was made is left out")
    func removedImage() async throws {
        try await TestDatabase.with { database in
            let plan = try await chain(["base", "app"], in: database)
            #expect(try await database.store.removeImage(plan.rows[0].image, by: TestDatabase.owner))
            let rebuild = try await submit(plan, for: compose(database), in: database)
            #expect(rebuild.rows.map(\.plan.decision) == [.excluded, .build])
            #expect(try await database.build(1).waitsFor == [])
        }
    }
}
