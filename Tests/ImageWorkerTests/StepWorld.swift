import BuildNodes
import ComposeModel
import ComposeStore
import ComposeTestKit
import ComposeWorker
import Foundation
import Glibc
import ImageModel
import ImageTestKit
import Logging
import Registry
import Subprocess
import Synchronization
import SystemPackage
import Testing

@testable import ImageWorker

/// A database, a registry and a node, in which builds run as in a worker. The registry has the image
/// `base:1`, whose programs are those of ``SmallImages``.
struct StepWorld {
    let directory: FilePath
    let database: TestDatabase
    let registry: TestRegistry
    let client: RegistryClient
    let node: CountingNode
    let reader: ScriptedReader
    let standing: NodeStanding
    let configuration: ImageBuildConfiguration
    /// The connections to nodes of farms.
    var farms: EngineConnections?

    static let day = "20261129"
    static let owner = Actor(name: "me", isAdmin: false)

    static func run(_ test: @escaping @Sendable (StepWorld) async throws -> Void) async throws {
        try await BuildTestAccount.prepare()
        let directory = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-steps-\(UUID().uuidString)")
        for name in ["", "work", "target"] {
            try FileManager.default.createDirectory(atPath: directory.pushing(FilePath(name)).string, withIntermediateDirectories: true)
            chmod(directory.pushing(FilePath(name)).string, 0o755)
        }
        let result: Result<Void, any Error>
        do {
            try await TestDatabase.with { database in
                try await TestRegistry.with { registry in try await run(test, in: directory, database, registry) }
            }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        // Files may belong to subordinate numbers of this user.
        let command = (geteuid() == 0 ? [] : ["buildah", "unshare", "--"]) + ["rm", "-rf", directory.string]
        _ = try await Subprocess.run(.name(command[0]), arguments: Arguments(Array(command.dropFirst())), output: .discarded)
        try result.get()
    }

    private static func run(
        _ test: @Sendable (StepWorld) async throws -> Void, in directory: FilePath, _ database: TestDatabase, _ registry: TestRegistry
    ) async throws {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let account = try BuildAccount()
        let local = try await LocalNode.open(directory.appending("node"), account: account, insecure: [registry.host], logger: logger)
        var settings = RegistryConfiguration(insecureHosts: [registry.host])
        settings.limits.attempts = 1
        let client = RegistryClient(settings, logger: logger)
        var configuration = ImageBuildConfiguration(
            workDirectory: directory.appending("work"),
            targets: ["default": .init(directory: directory.appending("target"), url: "http://odcs.example/composes")],
            contexts: try ImageNamespace("\(registry.host)/team").contexts)
        configuration.account = account
        configuration.gitProtocols.append("file")
        configuration.artifacts = ArtifactSettings(
            namespace: try ImageNamespace("\(registry.host)/team"), environments: ["small": try ImageReference("\(registry.host)/base:1")])
        let world = StepWorld(
            directory: directory, database: database, registry: registry, client: client, node: CountingNode(local),
            reader: ScriptedReader(), standing: NodeStanding(directory.appending("disabled"), logger: logger), configuration: configuration)
        let result: Result<Void, any Error>
        do {
            try await world.pushBase()
            try await test(world)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await client.shutdown()
        try result.get()
    }

    private func pushBase() async throws {
        let context = directory.appending("base")
        try FileManager.default.createDirectory(atPath: context.string, withIntermediateDirectories: true)
        try await SmallImages.makeContext(in: context)
        for name in ["run", "etc/yum.repos.d"] {
            try FileManager.default.createDirectory(
                atPath: context.appending("root").pushing(FilePath(name)).string, withIntermediateDirectories: true)
        }
        let repoFile = context.appending("root").pushing("etc/yum.repos.d/own.repo")
        try "[own]\n".write(toFile: repoFile.string, atomically: true, encoding: .utf8)
        let step = try ImageTag("base")
        _ = try await node.local.build(
            BuildSpecification(step: step, platform: .host, containerfile: SmallImages.containerfile, context: context)
        ) { _ in }
        _ = try await node.local.push(step, to: PushTarget(registry.repository("base"), tag: ImageTag("1"))) { _ in }
    }

    var base: String { "\(registry.host)/base:1" }
    var store: ComposeStore { database.store }

    /// Adds an image with this Containerfile, and asks for a build of it.
    func submit(
        _ name: String, _ source: ImageDefinition.Source, platforms: [Platform] = [.host], composes: [Int] = []
    ) async throws -> Build {
        let image = try await addImage(name, source, platforms: platforms)
        return try await store.submitBuild(
            of: image.id, BuildRequest(image.definition), owner: "me", dateTag: ImageTag(Self.day), composes: composes)
    }

    func addImage(_ name: String, _ source: ImageDefinition.Source, platforms: [Platform] = [.host]) async throws -> Image {
        let definition = ImageDefinition(source: source, platforms: platforms)
        switch try await store.addImage(registry.repository(name), as: definition, by: Self.owner) {
        case .added(let image), .changed(let image): return image
        case .notAllowed(let reason): throw TestError(reason)
        }
    }

    struct TestError: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// Claims one step, does it, and records the outcome as a worker does.
    ///
    /// - Returns: The failure of the step.
    @discardableResult
    func step(platforms: [Platform] = [.host]) async throws -> BuildFailure? {
        let lease = try #require(
            try await store.claimStep(by: "w", offering: StepOffer(platforms: platforms), for: .seconds(600)))
        return try await self.step(lease)
    }

    func step(_ lease: StepLease) async throws -> BuildFailure? {
        let inputs = try #require(try await store.stepInputs(of: lease.step.build))
        let runner = BuildStepRunner(
            configuration: configuration, store: store, node: node, standing: standing, farms: farms, registry: client,
            reader: reader)
        let retries = RetryPolicy(attempts: 3, firstDelay: .zero)
        do {
            let result = try await runner.run(lease, inputs, until: LeaseDeadline(length: .seconds(600)))
            #expect(
                try await store.finish(
                    lease, digest: result.digest, tags: result.tags, verification: result.verification, of: inputs.build))
            try await runner.clean(after: lease.step, of: inputs.build)
            return nil
        } catch let failure as BuildFailure {
            _ = try await store.fail(lease, with: failure, retries: retries)
            return failure
        } catch let failure as FailureOfNode {
            _ = try await store.fail(lease, with: failure.failure, isOfNode: true, retries: retries)
            return failure.failure
        } catch let gone as GoneImages {
            _ = try await store.redo(gone.images, before: lease, orFail: gone.failure, retries: retries)
            return gone.failure
        }
    }

    /// Does all steps of a build whose steps succeed.
    func finish(_ build: Build, platforms: [Platform] = [.host]) async throws -> Build {
        for _ in build.steps {
            let failure = try await step(platforms: platforms)
            #expect(failure == nil)
            if failure != nil { break }
        }
        return try await self.build(build.id)
    }

    func build(_ id: Int) async throws -> Build { try #require(try await store.build(id)) }

    func log(of build: Build) throws -> String {
        let path = directory.appending("target").pushing(FilePath(BuildLayout(build: build.id).log(of: .host)))
        return try String(contentsOfFile: path.string, encoding: .utf8)
    }

    func digest(_ name: String, tag: String) async throws -> ImageDigest? {
        try await client.reportedDigest(of: ImageReference(registry.repository(name), tag: ImageTag(tag)))
    }

    /// Deletes a manifest from the registry, with the tags that show it.
    func delete(_ digest: ImageDigest, of name: String) async throws {
        let image = "docker://\(try registry.repository(name))@\(digest)"
        let deletion = try await Subprocess.run(.name("skopeo"), arguments: ["delete", "--tls-verify=false", image], output: .discarded)
        #expect(deletion.terminationStatus.isSuccess)
    }

    /// Makes a compose that is done. Its directory has a `.repo` file and one file instead of packages.
    ///
    /// - Parameter address: The address of the server that wrote the `.repo` file.
    func compose(at address: String = "http://odcs.example/composes") async throws -> Int {
        let id = try await store.submit(.repo(), owner: "me").id
        let lease = try #require(try await store.claim(by: "w", for: .seconds(600)))
        let settlement = try await store.settle(
            lease, as: .pinned(lease.compose.request), source: "/srv/repo", reason: { "It shows compose \($0)." })
        #expect(settlement == .build)
        let layout = ComposeLayout(id: id)
        let files = directory.appending("target").appending(layout.directory).pushing(FilePath(ComposeLayout.repositories))
        try FileManager.default.createDirectory(atPath: files.appending("x86_64").string, withIntermediateDirectories: true)
        try "packages\n".write(toFile: files.pushing("x86_64/fix").string, atomically: true, encoding: .utf8)
        let url = "\(address)/\(layout.directory)/\(ComposeLayout.repositories)"
        try "[\(layout.directory)]\nbaseurl=\(url)/$basearch/os\ngpgkey=\(url)/x86_64/os/key\n"
            .write(toFile: files.appending("\(layout.directory).repo").string, atomically: true, encoding: .utf8)
        #expect(
            try await store.finish(lease, composeID: "odcs-\(id)", packages: 1, bytes: 1, reason: "made") { isHeld in try await isHeld() })
        return id
    }

    /// Returns the lines of `tar --list --verbose` for each layer of an image.
    func layers(of name: String, _ digest: ImageDigest) async throws -> [[String]] {
        let image = directory.appending("image-\(UUID().uuidString)")
        let source = "docker://\(try registry.repository(name))@\(digest)"
        let copy = try await Subprocess.run(
            .name("skopeo"), arguments: ["copy", "--quiet", "--src-tls-verify=false", source, "dir:\(image)"], output: .discarded)
        #expect(copy.terminationStatus.isSuccess)
        let document = try await client.manifest(ImageReference(registry.repository(name), digest: digest))
        guard case .manifest(let manifest) = document.content else { return [] }
        var layers: [[String]] = []
        for layer in manifest.layers {
            let list = try await Subprocess.run(
                .name("tar"), arguments: ["--list", "--verbose", "--numeric-owner", "--file", image.appending(layer.digest.hex).string],
                output: .string(limit: 1 << 24))
            layers.append(list.standardOutput.split(separator: "\n").map(String.init))
        }
        return layers
    }
}

/// A local node that counts its builds, and whose first pushes can go to a registry that is down.
final class CountingNode: BuildNode {
    private struct State {
        var builds = 0
        var lostPushes = 0
        var lie: ImageDigest?
    }

    let local: LocalNode
    private let state = Mutex(State())

    init(_ local: LocalNode) { self.local = local }

    var name: String { local.name }
    var isolation: String { local.isolation }
    var sharesCaches: Bool { local.sharesCaches }
    var hasVolumes: Bool { local.hasVolumes }
    var builds: Int { state.withLock(\.builds) }

    /// Makes the next pushes go to a port that nobody listens on.
    func loseRegistry(pushes: Int) { state.withLock { $0.lostPushes = pushes } }

    /// Makes the node report this digest for what it pushes. Nil: it reports the truth.
    func lie(_ digest: ImageDigest?) { state.withLock { $0.lie = digest } }

    func support(for platform: Platform) async throws -> PlatformSupport { try await local.support(for: platform) }

    func build(_ specification: BuildSpecification, log: @escaping @Sendable (String) -> Void) async throws -> BuildResult {
        state.withLock { $0.builds += 1 }
        return try await local.build(specification, log: log)
    }

    func image(of step: ImageTag) async throws -> ImageDigest? { try await local.image(of: step) }

    func push(_ step: ImageTag, to target: PushTarget, log: @escaping @Sendable (String) -> Void) async throws -> ImageDigest {
        let isLost = state.withLock { state in
            defer { state.lostPushes = max(0, state.lostPushes - 1) }
            return state.lostPushes > 0
        }
        guard isLost else {
            let digest = try await local.push(step, to: target, log: log)
            return state.withLock(\.lie) ?? digest
        }
        // Port 1 is for tcpmux, which no host of today has.
        let elsewhere = try ImageRepository(host: RegistryHost("127.0.0.1:1"), path: target.repository.path)
        return try await local.push(step, to: PushTarget(elsewhere, tag: target.tag), log: log)
    }

    func remove(_ step: ImageTag) async throws { try await local.remove(step) }
}

/// A reader that finds the packages that a test names. Other images have no rpmdb.
final class ScriptedReader: ContentsReading {
    /// An error that no part declares.
    struct Unexpected: Error { let path = "/srv/secret" }

    private let packages = Mutex<[ImageRepository: [InstalledPackage]]>([:])
    private let breaks = Mutex(false)

    func breakDown() { breaks.withLock { $0 = true } }

    func set(_ packages: [InstalledPackage], in repository: ImageRepository) { self.packages.withLock { $0[repository] = packages } }

    func contents(of repository: ImageRepository, digest: ImageDigest, platform: Platform) async throws -> Contents {
        if breaks.withLock(\.self) { throw Unexpected() }
        let found = packages.withLock { $0[repository] }
        return Contents(digest: digest, platform: platform, state: found.map { .read($0) } ?? .none)
    }
}
