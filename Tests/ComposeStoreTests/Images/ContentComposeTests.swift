import ComposeModel
import ComposeTestKit
import ImageModel
import Postgres
import Testing

@testable import ComposeStore

/// A build of an image with a content waits for the compose of it.
@Suite struct ContentComposeTests {
    private static let request = ComposeRequest(
        sourceType: .repo, source: ["/srv/repo"], packages: ["ed"], arches: ["x86_64"], secondsToLive: 3600)

    /// Adds an image on one platform with this content.
    private func image(_ name: String, _ request: ComposeRequest = request, in database: TestDatabase) async throws -> Image {
        var definition = TestDatabase.definition([TestDatabase.amd64])
        let submission = ComposeSubmission(source: .init(type: "repo", source: "/srv/repo"))
        definition.content = ImageContent(submission: submission, request: request)
        let repository = try ImageReference("registry.example/team/\(name)").repository
        let outcome = try await database.store.addImage(repository, as: definition, by: TestDatabase.owner)
        guard case .added(let image) = outcome else { throw TestDatabase.NotAdded() }
        return image
    }

    /// Makes the compose that waits done.
    private func finishCompose(in database: TestDatabase) async throws {
        let lease = try #require(try await database.store.claim(by: "w", for: .seconds(60)))
        let request = lease.compose.request
        #expect(try await database.store.settle(lease, as: .pinned(request), source: "/srv/repo", reason: { _ in "same" }) == .build)
        _ = try await database.store.finish(lease, composeID: "x", packages: 1, bytes: 1, reason: "Done.") { _ in }
    }

    @Test("a build begins when the compose of its content is done, and installs from it")
    func waits() async throws {
        try await TestDatabase.with { database in
            let image = try await image("base", in: database)
            let build = try await database.build(of: image)
            let compose = try #require(build.composes.first)
            #expect(build.stateReason == "Compose \(compose) is made first. It has the packages of the image's content.")
            #expect(try await database.store.compose(compose)?.request == Self.request)
            #expect(try await database.doSteps() == [])
            #expect(try await database.store.endWaitsForContent() == [])
            #expect(try await database.doSteps() == [])

            try await finishCompose(in: database)
            #expect(try await database.store.endWaitsForContent() == [build.id])
            #expect(try await database.store.endWaitsForContent() == [])
            #expect(try await database.build(build.id).stateReason == nil)
            #expect(try await database.doSteps() == ["\(build.id) linux/amd64", "\(build.id) list"])
        }
    }

    @Test("images with equal contents share a compose that is not done, and a build waits for an earlier one of its image too")
    func shared() async throws {
        try await TestDatabase.with { database in
            let (one, other) = (try await image("one", in: database), try await image("other", in: database))
            let builds = [try await database.build(of: one), try await database.build(of: other), try await database.build(of: one)]
            #expect(Set(builds.map(\.composes)).count == 1)
            try await finishCompose(in: database)
            #expect(try await database.store.endWaitsForContent() == builds.map(\.id))
            let steps = try await database.doSteps()
            #expect(steps.filter { $0.hasPrefix("\(builds[2].id) ") }.count == 2)
            #expect(try #require(steps.firstIndex(of: "\(builds[0].id) list")) < steps.firstIndex(of: "\(builds[2].id) linux/amd64") ?? 0)
        }
    }

    @Test("a build fails if the compose of its content is canceled, and says so")
    func failed() async throws {
        try await TestDatabase.with { database in
            let build = try await database.build(of: try await image("base", in: database))
            let compose = try #require(build.composes.first)
            _ = try await database.store.delete(compose, by: Actor(name: "root", isAdmin: true))
            #expect(try await database.store.endWaitsForContent() == [build.id])
            let failed = try await database.build(build.id)
            #expect(failed.failure?.code == .composeNotUsable)
            #expect(
                failed.stateReason?.hasPrefix("Compose \(compose), which has packages of the image, cannot be used: Canceled by root")
                    == true,
                "\(failed.stateReason ?? "")")
        }
    }

    @Test("without packages, a content stands for those that the image has and that no image below it has")
    func ownPackages() async throws {
        try await TestDatabase.with { database in
            var request = Self.request
            request.packages = []
            let image = try await image("base", request, in: database)
            func record(_ number: Int, _ layers: Int, _ names: String...) async throws {
                let packages = names.map { InstalledPackage(name: $0, evr: EVR(epoch: 0, version: "1", release: "1"), arch: "noarch") }
                try await database.store.record(
                    Contents(
                        digest: .numbered(number), platform: TestDatabase.amd64, layers: (1...layers).map { .numbered(100 + $0) },
                        state: .read(packages)))
            }
            try await record(1, 1, "glibc", "bash")
            try await record(2, 3, "glibc", "bash", "ed", "gpg-pubkey")
            try await database.store.recordLook(
                at: image.id, tag: .latest, digest: .numbered(2), manifests: [TestDatabase.amd64: .numbered(2)])
            let build = try await database.build(of: image)
            #expect(try await database.store.compose(try #require(build.composes.first))?.request.packages == ["ed"])
        }
    }
}
