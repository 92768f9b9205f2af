import ComposeModel
import ComposeTestKit
import Foundation
import ImageModel
import Postgres
import Testing

@testable import ComposeStore

/// The course of rebuilds: planned late, a few builds at a time, and without building anything twice.
@Suite struct RebuildCourseTests {
    private let old = InstalledPackage.named("openssl-libs 1:3.0.7-27")
    private let new = InstalledPackage.named("openssl-libs 1:3.0.7-28")

    private func compose(_ database: TestDatabase) async throws -> Int { try await database.store.submit(.repo(), owner: "me").id }

    private func row(_ image: Image, parents: [Int] = []) -> RebuildPlan.Row {
        RebuildPlan.Row(
            image: image.id, decision: .build, reason: "installed by it", parents: parents,
            findings: [.init(platform: TestDatabase.amd64, findings: [.init(installed: old, newest: new.evr)])])
    }

    private func submit(_ plan: RebuildPlan?, for compose: Int, in database: TestDatabase) async throws -> Rebuild {
        try await database.store.submitRebuild(
            plan, for: compose, because: RebuildReason(advisory: "RHSA-2026:1234"),
            selection: RebuildSelection(images: ["team/*"], packages: ["openssl-libs"]), owner: "me", dateTag: TestDatabase.day, priority: 3
        )
    }

    @Test("a rebuild waits for its compose, is planned once, and then makes its builds with the priority that was asked for")
    func plannedLate() async throws {
        try await TestDatabase.with { database in
            let image = try await database.image("base", [TestDatabase.amd64])
            let compose = try await compose(database)
            let rebuild = try await submit(nil, for: compose, in: database)
            #expect(rebuild.state == .wait)
            #expect(rebuild.selection == RebuildSelection(images: ["team/*"], packages: ["openssl-libs"]))
            #expect(try await database.store.rebuildsToPlan().isEmpty)
            let lease = try #require(try await database.store.claim(by: "w", for: .seconds(60)))
            _ = try await database.store.settle(lease, as: .pinned(.repo()), source: "s", reason: { _ in "" })
            _ = try await database.store.finish(lease, composeID: "x", packages: 1, bytes: 1, reason: "Done.") { _ in }
            #expect(try await database.store.rebuildsToPlan().map(\.id) == [rebuild.id])
            let planned = try #require(try await database.store.plan(rebuild.id, as: RebuildPlan(rows: [row(image)])))
            #expect(planned.state == .building)
            #expect(try await database.store.plan(rebuild.id, as: RebuildPlan(rows: [row(image)])) == nil)
            #expect(try await database.store.rebuildsToPlan().isEmpty)
            #expect(try await database.build(1).request.priority == 3)
            #expect(try await database.build(1).composes == [compose])
            try await database.doSteps()
            #expect(try await database.store.rebuild(rebuild.id)?.state == .done)
        }
    }

    @Test("a rebuild that was canceled while it waited is not planned")
    func canceledBefore() async throws {
        try await TestDatabase.with { database in
            let image = try await database.image("base", [TestDatabase.amd64])
            let rebuild = try await submit(nil, for: compose(database), in: database)
            _ = try await database.store.cancelRebuild(rebuild.id, by: TestDatabase.owner)
            #expect(try await database.store.plan(rebuild.id, as: RebuildPlan(rows: [row(image)])) == nil)
            #expect(try await database.store.rebuild(rebuild.id)?.state == .failed)
        }
    }

    @Test("of one rebuild, only so many builds are made at a time, while other builds go on")
    func fewAtATime() async throws {
        try await TestDatabase.with { database in
            var images: [Image] = []
            for name in ["a", "b", "c"] { images.append(try await database.image(name)) }
            _ = try await submit(RebuildPlan(rows: images.map { row($0) }), for: compose(database), in: database)
            let other = try await database.image("other", [TestDatabase.amd64])
            let manual = try await database.build(of: other)
            func claim() async throws -> StepLease? {
                try await database.store.claimStep(by: "w", offering: TestDatabase.everything, for: .seconds(60), buildsOfRebuild: 2)
            }
            var leases: [StepLease] = []
            while let lease = try await claim() { leases.append(lease) }
            #expect(leases.map(\.step.build) == [1, 1, 2, 2, manual.id])
            for lease in leases.prefix(2) { #expect(try await database.store.finish(lease, digest: .numbered(lease.id))) }
            let list = try #require(try await claim())
            #expect(list.step.build == 1)
            #expect(try await claim() == nil)
            #expect(try await database.store.finish(list, digest: .numbered(99)))
            #expect(try await claim()?.step.build == 3)
        }
    }

    @Test("workers that claim at the same moment do not exceed the number of builds of a rebuild")
    func atTheSameMoment() async throws {
        try await TestDatabase.with { database in
            var rows: [RebuildPlan.Row] = []
            for number in 0..<8 { rows.append(row(try await database.image("image-\(number)", [TestDatabase.amd64]))) }
            _ = try await submit(RebuildPlan(rows: rows), for: compose(database), in: database)
            let claimed = try await withThrowingTaskGroup(of: StepLease?.self) { group in
                for worker in 0..<8 {
                    group.addTask {
                        try await database.store.claimStep(
                            by: "w\(worker)", offering: TestDatabase.everything, for: .seconds(60), buildsOfRebuild: 3)
                    }
                }
                return try await group.reduce(into: []) { leases, lease in leases += lease.map { [$0] } ?? [] }
            }
            #expect(claimed.count == 3)
        }
    }

    @Test("a build whose image got the packages meanwhile is done with the digest that the image has, and its children begin")
    func unneeded() async throws {
        try await TestDatabase.with { database in
            let base = try await database.image("base", [TestDatabase.amd64])
            let app = try await database.image("app", [TestDatabase.amd64])
            _ = try await submit(RebuildPlan(rows: [row(base)]), for: compose(database), in: database)
            let first = try await database.claim()
            let second = try await submit(
                RebuildPlan(rows: [row(base), row(app, parents: [base.id])]), for: compose(database), in: database)
            #expect(second.rows.map(\.build) == [2, 3])
            #expect(try await database.store.finishIfUnneeded(first) == nil)
            try await database.store.record(
                Contents(digest: .numbered(1), platform: TestDatabase.amd64, state: .read([new])))
            #expect(try await database.store.finish(first, digest: .numbered(1)))
            let list = try await database.claim()
            #expect(try await database.store.finish(list, digest: .numbered(50), tags: [.latest]))

            let lease = try await database.claim()
            #expect(lease.step.build == 2)
            #expect(try await database.store.finishIfUnneeded(lease) == .numbered(50))
            let build = try await database.build(2)
            #expect(build.state == .done && build.digest == .numbered(50))
            #expect(build.stateReason == "Nothing in the image is older any more, so it was not built again.")
            #expect(build.steps.map(\.digest) == [.numbered(1), .numbered(50)])
            #expect(try await database.store.finish(lease, digest: .numbered(7)) == false)
            #expect(try await database.claim().step.build == 3)
        }
    }

    @Test("a build goes on if its image is still older, if that is not known, or if a person asked for it")
    func needed() async throws {
        try await TestDatabase.with { database in
            for (number, state) in [Contents.State.read([old]), .unknown("ndb"), .read([new])].enumerated() {
                let image = try await database.image("image-\(number)", [TestDatabase.amd64])
                let digest = ImageDigest.numbered(100 + number)
                try await database.store.recordLook(
                    at: image.id, tag: .latest, digest: digest, manifests: [TestDatabase.amd64: digest])
                try await database.store.record(Contents(digest: digest, platform: TestDatabase.amd64, state: state))
                if number == 2 {
                    _ = try await database.build(of: image)
                } else {
                    _ = try await submit(RebuildPlan(rows: [row(image)]), for: compose(database), in: database)
                }
                let lease = try await database.claim()
                #expect(try await database.store.finishIfUnneeded(lease) == nil, "\(state)")
                #expect(try await database.store.release(lease))
                _ = try await database.store.cancelBuild(lease.step.build, by: TestDatabase.owner)
            }
        }
    }

    @Test("the planner finds definitions, pins, layers and bases of images")
    func facts() async throws {
        try await TestDatabase.with { database in
            let base = try await database.image("base", [TestDatabase.amd64])
            let app = try await database.image("app", [TestDatabase.amd64])
            let layers = (0..<3).map { ImageDigest.numbered(200 + $0) }
            for (image, count) in [(base, 2), (app, 3)] {
                let digest = ImageDigest.numbered(image.id)
                try await database.store.recordLook(at: image.id, tag: .latest, digest: digest, manifests: [TestDatabase.amd64: digest])
                try await database.store.record(
                    Contents(digest: digest, platform: TestDatabase.amd64, layers: Array(layers.prefix(count)), state: .read([old])))
            }
            let facts = try await database.store.planningFacts(about: [base.id, app.id])
            #expect(facts.images.map(\.repository.path) == ["team/app", "team/base"])
            #expect(facts.total == 2)
            let found = try await database.store.layers(of: [base.id, app.id])
            #expect(Set(found.map(\.layers.count)) == [2, 3])

            let reference = try ImageReference("vendor.example/ubi:9")
            try await database.store.record(reference, shows: [TestDatabase.amd64: .numbered(1), TestDatabase.arm64: .numbered(300)])
            #expect(try await database.store.unreadManifests(limit: 10).map(\.digest) == [.numbered(300)])
            let bases = try await database.store.bases([reference])
            #expect(bases[reference]?[TestDatabase.amd64]?.contents?.packages == [old])
            #expect(bases[reference]?[TestDatabase.arm64]?.contents == nil)
            try await database.store.record(reference, shows: [TestDatabase.amd64: .numbered(1)])
            #expect(try await database.store.bases([reference])[reference]?.count == 1)
            #expect(
                try await database.store.repositoriesBuilt(among: [base.repository, reference.repository]) == [base.repository])
        }
    }
}
