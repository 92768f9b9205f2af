import ComposeModel
import ComposeStore
import ComposeTestKit
import Foundation
import ImageModel
import Logging
import Postgres
import Rebuilds
import SystemPackage
import Testing

@testable import ImageWorker

/// Rules, with a real database. The builds are done by the test.
@Suite(.timeLimit(.minutes(5))) struct RuleFollowerTests {
    private static let platform = "linux/amd64"
    private static let me = Actor(name: "me", isAdmin: false)

    /// A database with a follower, whose looks the test asks for.
    private struct World {
        let database: TestDatabase
        let directory: FilePath
        let follower: RuleFollower

        var store: ComposeStore { database.store }

        static func with(
            _ bounds: RuleTries.Bounds = .init(most: 2, firstPause: .zero), _ body: @escaping @Sendable (World) async throws -> Void
        ) async throws {
            let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-rules-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(atPath: directory.string) }
            try await TestDatabase.with { database in
                let listener = PostgresListener(configuration: database.configuration, channels: [database.schema], logger: .silent)
                let follower = RuleFollower(
                    store: database.store, plans: RebuildPlans(store: database.store, directories: ["default": directory]),
                    listener: listener, channel: database.schema, every: .seconds(86_400), bounds: bounds, logger: .silent)
                try await body(World(database: database, directory: directory, follower: follower))
            }
        }

        /// Adds an image with one package.
        func addImage(_ name: String, from base: String = "scratch", zlib release: Int) async throws -> Int {
            let platform = try Platform(RuleFollowerTests.platform)
            let definition = ImageDefinition(source: .containerfile("FROM \(base)\nCOPY . /\n"), platforms: [platform])
            let repository = try ImageReference("r.example/team/\(name)").repository
            guard case .added(let image) = try await store.addImage(repository, as: definition, by: RuleFollowerTests.me) else {
                throw CancellationError()
            }
            let digest = ImageDigest(of: Array("\(name) \(release)".utf8))
            try await store.recordLook(at: image.id, tag: .latest, digest: digest, manifests: [platform: digest])
            try await record(digest, zlib: release)
            return image.id
        }

        /// Adds the image of the branch `main` of `mps` for an operating system.
        func addArtifact(_ environment: String, zlib release: Int) async throws -> Image {
            let platform = try Platform(RuleFollowerTests.platform)
            var definition = ImageDefinition(source: .containerfile("FROM scratch\nCOPY . /\n"), platforms: [platform])
            definition.artifact = try Artifact(.image, component: "mps", version: "main", environment: environment)
            let repository = try ImageReference("r.example/mps-main-image").repository
            guard case .added(let image) = try await store.addImage(repository, as: definition, by: RuleFollowerTests.me) else {
                throw CancellationError()
            }
            try await show(image, zlib: release)
            return image
        }

        /// Lets an image of the service have another manifest.
        func show(_ image: Image, zlib release: Int) async throws {
            let digest = ImageDigest(of: Array("\(image.id) \(release)".utf8))
            try await store.recordLook(
                at: image.id, tag: .latest, digest: digest, manifests: [Platform(RuleFollowerTests.platform): digest])
            try await record(digest, zlib: release)
        }

        func record(_ digest: ImageDigest, zlib release: Int, bzip2 other: Int = 1) async throws {
            let packages = [("zlib", release), ("bzip2", other)].map { name, release in
                InstalledPackage(name: name, evr: EVR(version: "1", release: "\(release)"), arch: "x86_64")
            }
            try await store.record(
                Contents(digest: digest, platform: try Platform(RuleFollowerTests.platform), layers: [digest], state: .read(packages)))
        }

        /// Lets the tag of a base show a manifest with these packages.
        func show(_ text: String, at base: ImageReference, zlib release: Int, bzip2 other: Int = 1) async throws {
            let digest = ImageDigest(of: Array(text.utf8))
            try await store.record(base, shows: [Platform(RuleFollowerTests.platform): digest])
            try await record(digest, zlib: release, bzip2: other)
        }

        /// Makes the only watch find other packages, and its compose done with this package.
        func finishCompose(zlib release: Int) async throws -> Int {
            _ = try await database.pool.query("UPDATE watches SET next_look_at = now()")
            let lease = try #require(try await store.leaseWatches(for: .seconds(60)))
            let pins = ComposePins(koji: KojiPin(tag: .init(name: "f26-updates", id: 2, event: release, inherits: true)))
            let compose = try #require(
                try await store.record(
                    WatchFinding(pins: pins, tags: [2], packagesKey: UUID().uuidString), for: lease.items[0], lease, next: .seconds(60)))
            let claimed = try #require(try await store.claim(by: "w", for: .seconds(60)))
            #expect(claimed.compose.id == compose.id)
            let tree = directory.appending(ComposeLayout(id: compose.id).directory)
            try FileManager.default.createDirectory(atPath: tree.string, withIntermediateDirectories: true)
            let nevra = "zlib-1-\(release).x86_64"
            try #"{"version": 1, "packages": [{"nevra": "\#(nevra)", "path": "x86_64/os/Packages/z/\#(nevra).rpm"}]}"#
                .write(toFile: tree.appending(ComposeLayout.lockFile).string, atomically: true, encoding: .utf8)
            _ = try await store.settle(
                claimed, as: .pinned(claimed.compose.request, at: "sha256:\(compose.id)"), source: "f26", reason: { _ in "same" })
            _ = try await store.finish(claimed, composeID: "odcs-\(compose.id)-1-20261121.t.0", packages: 1, bytes: 1, reason: "Done.") {
                _ in
            }
            return compose.id
        }

        func watch() async throws -> Int { try await store.standingWatch(owner: "me", request: .tag(["zlib"])).id }

        func addRule(watch: Int?, _ images: String...) async throws -> Rule {
            guard case .added(let rule) = try await store.addRule(owner: "me", watch: watch, images: images) else {
                throw CancellationError()
            }
            return rule
        }

        /// Looks until no look is due, and returns the builds that are open then.
        func follow() async throws -> [Int] {
            // New contents alone make a look due only after a while.
            _ = try await database.pool.query("UPDATE rules SET next_look_at = now()")
            while try await follower.lookOnce() {}
            let open = try await database.pool.query("SELECT id FROM builds WHERE state IN (0, 1) ORDER BY id")
            return try open.map { try $0.decode(Int.self, "id") }
        }

        /// Ends the step that can be done next, and the manifest list after it.
        func finishBuild(zlib release: Int, bzip2 other: Int = 1) async throws {
            let platform = try Platform(RuleFollowerTests.platform)
            for _ in 1...2 {
                let lease = try #require(try await store.claimStep(by: "w", offering: StepOffer(platforms: [platform]), for: .seconds(60)))
                let digest = ImageDigest(of: Array("build \(lease.step.build) \(release)".utf8))
                guard lease.step.platform != nil else {
                    #expect(try await store.finish(lease, digest: ImageDigest(of: Array("list \(digest)".utf8)), tags: [.latest]))
                    return
                }
                try await record(digest, zlib: release, bzip2: other)
                #expect(try await store.finish(lease, digest: digest))
            }
        }

        func failBuild(_ code: BuildFailure.Code = .buildFailed) async throws {
            let offer = StepOffer(platforms: [try Platform(RuleFollowerTests.platform)])
            let lease = try #require(try await store.claimStep(by: "w", offering: offer, for: .seconds(60)))
            let outcome = try await store.fail(
                lease, with: BuildFailure(code, "It does not build."), retries: RetryPolicy(attempts: 1, firstDelay: .zero))
            #expect(outcome == .failed)
        }
    }

    @Test("a compose of a watch builds the images with older packages once, and the same packages again build nothing")
    func watch() async throws {
        try await World.with { world in
            let (old, new) = (try await world.addImage("old", zlib: 1), try await world.addImage("new", zlib: 2))
            let other = try await world.addImage("other", zlib: 1)
            let watch = try await world.watch()
            let rule = try await world.addRule(watch: watch, "team/old", "team/new")
            #expect(try await world.addRule(watch: watch, "team/new", "team/old") == rule)
            #expect(try await world.follow() == [], "The watch has no compose yet.")

            let compose = try await world.finishCompose(zlib: 2)
            let builds = try await world.follow()
            #expect(builds.count == 1)
            let build = try #require(try await world.store.build(builds[0]))
            #expect(build.image == old)
            #expect(build.owner == "me")
            #expect(build.composes == [compose])
            let number = try #require(build.rebuild)
            let rebuild = try #require(try await world.store.rebuild(number))
            #expect(rebuild.rule == rule.id)
            #expect(rebuild.compose == compose)
            #expect(try await world.follow() == builds, "The build is under way, and is not asked for again.")
            #expect(try await world.store.rebuilds().total == 1)

            try await world.finishBuild(zlib: 2)
            #expect(try await world.follow() == [])
            // The tag changes to other packages with the same zlib.
            _ = try await world.finishCompose(zlib: 2)
            #expect(try await world.follow() == [])
            #expect(try await world.store.rebuilds().total == 1)
            #expect(try await world.store.rule(rule.id)?.builds == builds)
            #expect(try await world.store.rule(rule.id)?.problem == nil)
            for image in [new, other] { #expect(try await world.store.list(BuildQuery()).items.allSatisfy { $0.image != image }) }
        }
    }

    @Test("packages that came while no worker looked are found, and an image that gets older ones later as well")
    func levels() async throws {
        try await World.with { world in
            let watch = try await world.watch()
            _ = try await world.finishCompose(zlib: 2)
            _ = try await world.finishCompose(zlib: 3)
            let image = try await world.addImage("web", zlib: 1)
            _ = try await world.addRule(watch: watch, "team/*")
            #expect(try await world.follow().count == 1)
            try await world.finishBuild(zlib: 3)
            #expect(try await world.follow() == [])

            // Another program pushes an older image.
            let digest = ImageDigest(of: Array("elsewhere".utf8))
            try await world.record(digest, zlib: 1)
            try await world.store.recordLook(at: image, tag: .latest, digest: digest, manifests: [Platform(Self.platform): digest])
            #expect(try await world.follow().count == 1)
        }
    }

    @Test("an image that cannot be built is tried a bounded number of times, and again after its definition has changed")
    func bounded() async throws {
        try await World.with { world in
            let image = try await world.addImage("web", zlib: 1)
            _ = try await world.addRule(watch: try await world.watch(), "team/*")
            _ = try await world.finishCompose(zlib: 2)
            for _ in 1...2 {
                #expect(try await world.follow().count == 1)
                try await world.failBuild()
            }
            #expect(try await world.store.rules().items.map(\.problem) == [nil])
            for _ in 1...3 { #expect(try await world.follow() == []) }
            let note = "Builds did not help: team/web. They are not tried again."
            #expect(try await world.store.rules().items.map(\.problem) == [note])

            let changed = ImageDefinition(source: .containerfile("FROM scratch\nCOPY x /\n"), platforms: [try Platform(Self.platform)])
            guard case .changed = try await world.store.addImage(ImageReference("r.example/team/web").repository, as: changed, by: Self.me)
            else { throw CancellationError() }
            #expect(try await world.follow().count == 1)
            try await world.failBuild()
            // Newer packages are another cause.
            _ = try await world.finishCompose(zlib: 3)
            let builds = try await world.follow()
            #expect(try await world.store.build(try #require(builds.first))?.image == image)
        }
    }

    @Test("a failed image rests before it is tried again, and one whose build a person canceled is not tried again")
    func rest() async throws {
        try await World.with(.init(most: 3, firstPause: .seconds(3600))) { world in
            _ = try await world.addImage("web", zlib: 1)
            _ = try await world.addRule(watch: try await world.watch(), "team/*")
            _ = try await world.finishCompose(zlib: 2)
            #expect(try await world.follow().count == 1)
            try await world.failBuild()
            #expect(try await world.follow() == [])
            _ = try await world.database.pool.query(
                "UPDATE builds SET time_done = time_done - interval '2 hours', time_started = time_started - interval '2 hours'")
            let again = try await world.follow()
            #expect(again.count == 1)
            _ = try await world.store.cancelBuild(try #require(again.first), by: Self.me)
            _ = try await world.database.pool.query("UPDATE builds SET time_done = time_done - interval '9 hours'")
            #expect(try await world.follow() == [])
        }
    }

    @Test("a child is tried as long as its parent is, and is not built on a parent that is given up")
    func parents() async throws {
        try await World.with { world in
            let base = try await world.addImage("base", zlib: 1)
            _ = try await world.addImage("app", from: "r.example/team/base", zlib: 1)
            _ = try await world.addRule(watch: try await world.watch(), "team/*")
            _ = try await world.finishCompose(zlib: 2)
            for _ in 1...2 {
                #expect(try await world.follow().count == 2)
                try await world.failBuild()
            }
            #expect(try await world.follow() == [])
            #expect(try await world.store.list(BuildQuery()).items.filter { $0.image == base }.count == 2)
        }
    }

    @Test("images follow the images that they build on, parents first, and only if packages are newer")
    func bases() async throws {
        try await World.with { world in
            let vendor = try ImageReference("r.example/vendor/ubi:9")
            let base = try await world.addImage("base", from: "r.example/vendor/ubi:9", zlib: 1)
            let app = try await world.addImage("app", from: "r.example/team/base", zlib: 1)
            let pinned = try await world.addImage("pinned", from: "r.example/vendor/ubi@\(ImageDigest(of: [7]))", zlib: 1)
            _ = try await world.addRule(watch: nil, "team/*")
            func show(_ text: String, zlib release: Int) async throws { try await world.show(text, at: vendor, zlib: release) }
            try await show("first", zlib: 1)
            #expect(try await world.follow() == [])
            try await show("same packages, another time", zlib: 1)
            #expect(try await world.follow() == [])

            try await show("fixed", zlib: 2)
            let first = try await world.follow()
            #expect(try await world.store.build(try #require(first.first))?.image == base)
            #expect(first.count == 1)
            try await world.finishBuild(zlib: 2)
            let second = try await world.follow()
            #expect(try await world.store.build(try #require(second.first))?.image == app)
            #expect(second.count == 1)
            try await world.finishBuild(zlib: 2)
            #expect(try await world.follow() == [])
            #expect(try await world.store.list(BuildQuery()).items.allSatisfy { $0.image != pinned })
        }
    }

    @Test("an image follows the artifact of its operating system, and no other one of the same repository")
    func artifacts() async throws {
        try await World.with { world in
            let (old, new) = (try await world.addArtifact("rocky8", zlib: 1), try await world.addArtifact("rocky9", zlib: 1))
            let app = try await world.addImage("app", from: "r.example/mps-main-image:rocky9", zlib: 1)
            _ = try await world.addRule(watch: nil, "team/app")
            #expect(try await world.follow() == [])
            try await world.show(old, zlib: 2)
            #expect(try await world.follow() == [])
            try await world.show(new, zlib: 2)
            let builds = try await world.follow()
            #expect(try await world.store.build(try #require(builds.first))?.image == app)
            #expect(builds.count == 1)
        }
    }

    @Test("a base whose tag moves back and forth builds an image once for each newer package, and then no more")
    func movingBase() async throws {
        try await World.with { world in
            let vendor = try ImageReference("r.example/vendor/ubi:9")
            _ = try await world.addImage("base", from: "r.example/vendor/ubi:9", zlib: 1)
            _ = try await world.addRule(watch: nil, "team/*")
            for turn in 1...4 {
                try await world.show("new", at: vendor, zlib: 2)
                #expect(try await world.follow().count == (turn == 1 ? 1 : 0))
                if turn == 1 { try await world.finishBuild(zlib: 2) }
                try await world.show("old", at: vendor, zlib: 1)
                #expect(try await world.follow() == [])
            }
            // Each state of the base has a package that is newer than in the other one.
            for turn in 1...6 {
                try await world.show("a", at: vendor, zlib: 4, bzip2: 3)
                let first = try await world.follow()
                if !first.isEmpty { try await world.finishBuild(zlib: 4, bzip2: 3) }
                try await world.show("b", at: vendor, zlib: 3, bzip2: 4)
                let second = try await world.follow()
                if !second.isEmpty { try await world.finishBuild(zlib: 3, bzip2: 4) }
                #expect((first + second).count == (turn <= 2 ? 2 : 0), "The bounds are two tries for each state of the base.")
            }
            try await world.show("a", at: vendor, zlib: 4, bzip2: 3)
            #expect(try await world.follow() == [])
            let note = "Builds did not help: team/base. They are not tried again."
            #expect(try await world.store.rules().items.map(\.problem) == [note])
        }
    }

    @Test("a rule without an image says so until there is one")
    func noImage() async throws {
        try await World.with { world in
            let rule = try await world.addRule(watch: nil, "taem/*", "team/web")
            #expect(try await world.follow() == [])
            #expect(try await world.store.rule(rule.id)?.problem == "No image has such a name.")
            _ = try await world.addImage("web", zlib: 1)
            #expect(try await world.follow() == [])
            #expect(try await world.store.rule(rule.id)?.problem == nil)
        }
    }

    @Test("a look that takes too long writes nothing, and the end of a watch ends its rules")
    func endings() async throws {
        try await World.with { world in
            let watch = try await world.watch()
            let rule = try await world.addRule(watch: watch, "team/*")
            let look = try #require(try await world.store.claimRule(for: .seconds(60)))
            #expect(try await world.store.claimRule(for: .seconds(60)) == nil, "Another worker looks.")
            _ = try await world.database.pool.query("UPDATE rules SET lease_expires_at = now() - interval '1 second'")
            let other = try #require(try await world.store.claimRule(for: .seconds(60)))
            try await world.store.finish(look, next: .seconds(1), problem: "late")
            #expect(try await world.store.rule(rule.id)?.problem == nil)
            try await world.store.finish(other, next: .seconds(86_400), problem: "The compose is gone.")
            #expect(try await world.store.rule(rule.id)?.problem == "The compose is gone.")
            #expect(try await world.store.claimRule(for: .seconds(60)) == nil)

            _ = try await world.store.endWatch(watch)
            #expect(try await world.store.rule(rule.id)?.timeEnded != nil)
            #expect(try await world.store.rules().items == [])
            guard case .noWatch = try await world.store.addRule(owner: "me", watch: watch, images: ["team/*"]) else {
                throw CancellationError()
            }
        }
    }
}
