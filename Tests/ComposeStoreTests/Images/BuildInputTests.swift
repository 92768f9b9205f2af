import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import ImageModel
import Postgres
import Testing

@Suite struct BuildInputTests {
    private let commit = String(repeating: "a", count: 40)

    @Test("all steps of a build get the inputs that were recorded first")
    func pins() async throws {
        try await TestDatabase.with { database in
            let build = try await database.build(of: database.image("app"))
            #expect(build.pins == nil)
            let (one, other) = (try await database.claim(), try await database.claim())
            let first = BuildPins(commit: commit, images: ["base": .numbered(1)])
            #expect(try await database.store.pin(one, first) == first)
            // Another platform may need another image.
            let second = BuildPins(commit: String(repeating: "b", count: 40), images: ["base": .numbered(2), "arm": .numbered(3)])
            let both = BuildPins(commit: commit, images: ["base": .numbered(1), "arm": .numbered(3)])
            #expect(try await database.store.pin(other, second) == both)
            #expect(try await database.build(build.id).pins == both)
        }
    }

    @Test("a build without git has no commit among its inputs")
    func withoutCommit() async throws {
        try await TestDatabase.with { database in
            _ = try await database.build(of: database.image("app"))
            let lease = try await database.claim()
            #expect(try await database.store.pin(lease, BuildPins()) == BuildPins())
        }
    }

    @Test("a worker that has lost its lease records nothing")
    func lost() async throws {
        try await TestDatabase.with { database in
            let build = try await database.build(of: database.image("app"))
            let lease = try await database.claim()
            try await database.letExpire(lease)
            _ = try await database.store.reapSteps(retries: RetryPolicy())
            #expect(try await database.store.pin(lease, BuildPins(commit: commit)) == nil)
            let verification = Verification(from: nil, to: contents(1))
            #expect(try await database.store.record(verification, of: TestDatabase.amd64, under: lease) == false)
            #expect(try await database.build(build.id).pins == nil)
            #expect(try await database.store.verifications(of: build.id) == [:])
        }
    }

    @Test("the verification of each platform is kept")
    func verifications() async throws {
        try await TestDatabase.with { database in
            let build = try await database.build(of: database.image("app"))
            let (one, other) = (try await database.claim(), try await database.claim())
            let first = Verification(from: nil, to: contents(1))
            let second = Verification(from: contents(1), to: contents(2))
            #expect(try await database.store.record(first, of: TestDatabase.amd64, under: one))
            #expect(try await database.store.record(second, of: TestDatabase.arm64, under: other))
            #expect(
                try await database.store.verifications(of: build.id) == [TestDatabase.amd64: first, TestDatabase.arm64: second])
            #expect(try await database.build(build.id).verifications == [TestDatabase.amd64: first, TestDatabase.arm64: second])
        }
    }

    @Test("a build on top of another one finds its digest, its packages to replace, and the advisory")
    func parents() async throws {
        try await TestDatabase.with { database in
            let (base, app) = (
                try await database.image("base", [TestDatabase.amd64]), try await database.image("app", [TestDatabase.amd64])
            )
            let finding = AffectedImages.Finding(
                installed: .named("openssl-libs 1:3.0.7-27"), newest: EVR(epoch: 1, version: "3.0.7", release: "28"))
            let findings = [RebuildPlan.PlatformFindings(platform: TestDatabase.amd64, findings: [finding])]
            let plan = RebuildPlan(rows: [
                .init(image: base.id, decision: .build, reason: "", findings: findings),
                .init(image: app.id, decision: .build, reason: "", parents: [base.id], findings: findings),
            ])
            let compose = try await database.store.submit(.repo(), owner: "me").id
            _ = try await database.store.submitRebuild(
                plan, for: compose, because: RebuildReason(advisory: "RHSA-2026:1234"), owner: "me", dateTag: TestDatabase.day)
            #expect(try await database.store.stepInputs(of: 2)?.parents == [:])
            #expect(try await database.store.stepInputs(of: 3) == nil)
            try await database.doSteps(most: 2)
            let digest = try #require(try await database.build(1).digest)
            let inputs = try #require(try await database.store.stepInputs(of: 2))
            #expect(inputs.build == (try await database.build(2)))
            #expect(inputs.image == app)
            #expect(inputs.parents == [base.repository: digest])
            #expect(inputs.findings == [TestDatabase.amd64: [finding]])
            #expect(inputs.advisories == ["RHSA-2026:1234"])
            #expect(inputs.causes == (try await database.store.causes(of: 2)))
            #expect(inputs.manifests == [:])
            #expect(try await database.store.stepInputs(of: 1)?.manifests == [TestDatabase.amd64: .numbered(1)])
        }
    }

    private func contents(_ packages: Int) -> Contents {
        let packages = (1...packages).map { InstalledPackage.named("package\($0) 1-1") }
        return Contents(digest: .numbered(packages.count), platform: TestDatabase.amd64, state: .read(packages))
    }
}
