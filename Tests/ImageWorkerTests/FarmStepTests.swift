import BuildNodes
import ComposeStore
import ComposeTestKit
import Foundation
import Glibc
import ImageModel
import ImageTestKit
import Logging
import Postgres
import Registry
import Subprocess
import SystemPackage
import Testing

@testable import ImageWorker

/// Steps on nodes of farms: two real podman services with stores of their own.
@Suite(.timeLimit(.minutes(15))) struct FarmStepTests {
    /// Runs a test with the nodes `n1` and `n2`, which a watcher has seen.
    private static func run(
        delivery: FarmNode.Delivery = .push,
        _ test: @escaping @Sendable (_ world: StepWorld, _ n1: TestPodman, _ n2: TestPodman) async throws -> Void
    ) async throws {
        try await StepWorld.run { world in
            try await TestPodman.with(insecure: [world.registry.host]) { n1 in
                try await TestPodman.with(insecure: [world.registry.host]) { n2 in
                    try await n1.withService { first in
                        try await n2.withService { second in
                            var world = world
                            let client = world.client
                            var settings = EngineNode.Settings(
                                scratch: world.configuration.workDirectory,
                                upload: { try await ArchiveUpload(registry: client).upload($0, to: $1) })
                            settings.insecure = [world.registry.host]
                            settings.pulse = .seconds(1)
                            world.farms = EngineConnections(keys: nil, settings: settings)
                            for (name, socket) in [("n1", first), ("n2", second)] {
                                var node = FarmNode(name: name, connection: .unix(path: socket.string))
                                node.weight = name == "n1" ? 20 : 10
                                node.delivery = delivery
                                #expect(try await world.store.addNode(node))
                            }
                            try await watch(world)
                            try await test(world, n1, n2)
                        }
                    }
                }
            }
        }
    }

    /// Looks at all nodes now.
    private static func watch(_ world: StepWorld) async throws {
        let connections = try #require(world.farms)
        _ = try await world.database.pool.query("UPDATE nodes SET next_look_at = now() WHERE name <> 'local'")
        try await NodeWatcher(
            worker: "w", offer: StepOffer(platforms: []), slots: 0, store: world.store, connections: connections,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ).runOnce()
    }

    private static func claim(_ world: StepWorld) async throws -> StepLease {
        var offer = StepOffer(platforms: [])
        offer.nodes = true
        return try #require(try await world.store.claimStep(by: "w", offering: offer, for: .seconds(600)))
    }

    @Test("a watcher finds the platforms of nodes, one that is lost, and one that is back")
    func watcher() async throws {
        try await Self.run { world, n1, _ in
            var node = try await world.store.node("n1")
            #expect(node.state == .ready)
            #expect(node.native == [.host])
            #expect(node.engine?.hasPrefix("podman ") == true)
            #expect(!node.awaitsProbe)
            try n1.signalService(SIGKILL)
            // The signal takes a moment. Then the socket has no listener.
            while node.problem != "connection refused" {
                try await Self.watch(world)
                node = try await world.store.node("n1")
            }
            #expect(node.state == .lost)
            #expect(try await world.store.node("n2").state == .ready)
        }
    }

    @Test("a node of a farm builds and pushes, the list is written, and nothing of the step stays on the node")
    func builds() async throws {
        try await Self.run { world, n1, _ in
            let build = try await world.submit("web", .containerfile("FROM \(world.base)\nRUN echo x > /etc/x\n"))
            let lease = try await Self.claim(world)
            #expect(lease.step.node == "n1")
            #expect(try await world.step(lease) == nil)
            #expect(try await world.step(try await Self.claim(world)) == nil)
            let done = try await world.build(build.id)
            #expect(done.state == .done)
            #expect(done.steps[0].node == "n1")
            #expect(try await world.digest("web", tag: "latest") == done.digest)
            #expect(try world.log(of: done).contains("is built on the node n1."))
            #expect(world.node.builds == 0)
            let images = try await n1.run("podman", ["images", "--format", "{{.Repository}}:{{.Tag}}"]).out
            #expect(!images.contains("odcs-step"), "\(images)")
        }
    }

    @Test("a step whose node dies moves to another node at once, and the log says so")
    func moves() async throws {
        try await Self.run { world, n1, _ in
            let build = try await world.submit("web", .containerfile("FROM \(world.base)\nRUN echo begun; sleep 60\n"))
            let lease = try await Self.claim(world)
            #expect(lease.step.node == "n1")
            let first = Task { try await world.step(lease) }
            let file = world.directory.appending("target").pushing(FilePath(BuildLayout(build: build.id).log(of: .host)))
            #expect(try await FollowedFile(file).awaitText("\nbegun\n"))
            try n1.signalService(SIGKILL)
            let failure = try await first.value
            #expect(failure?.code == .nodeLost, "\(failure?.message ?? "")")
            #expect(try await world.store.node("n1").state == .lost)
            let next = try await Self.claim(world)
            #expect(next.step.node == "n2")
            #expect(next.step.failedNodes == ["n1"])
            #expect(try await world.step(next) == nil)
            #expect(try await world.step(try await Self.claim(world)) == nil)
            #expect(try await world.build(build.id).state == .done)
            let log = try world.log(of: build)
            #expect(log.contains("odcs: The node could not build it: The node n1 was lost during the build, in step"), "\(log)")
            #expect(log.contains("odcs: Nodes that could not build it: n1."), "\(log)")
        }
    }

    @Test("each RUN on a node reads the packages of a compose instead of the image's own repositories, and nothing of it stays")
    func compose() async throws {
        try await Self.run { world, n1, _ in
            let compose = try await world.compose()
            let build = try await world.submit(
                "web",
                .containerfile(
                    """
                    FROM \(world.base)
                    RUN cat /run/odcs-\(compose)/x86_64/fix /etc/yum.repos.d/*.repo; touch /made
                    RUN touch /etc/yum.repos.d/x || echo read-only
                    """), composes: [compose])
            let lease = try await Self.claim(world)
            #expect(lease.step.node == "n1")
            let failure = try await world.step(lease)
            #expect(failure == nil, "\(failure?.message ?? "")")
            let log = try world.log(of: build)
            #expect(log.contains("\npackages\n"), "\(log)")
            #expect(log.contains("\nbaseurl=file:///run/odcs-\(compose)/$basearch/os\n"), "\(log)")
            #expect(log.contains("\nread-only\n"), "\(log)")
            #expect(!log.contains("[own]"))
            #expect(try await world.step(try await Self.claim(world)) == nil)
            let done = try await world.build(build.id)
            let digest = try #require(done.steps[0].digest)
            let last = try #require(try await world.layers(of: "web", digest).last)
            #expect(last.contains { $0.hasSuffix(" made") })
            #expect(last.filter { $0.contains("odcs") || $0.hasSuffix(".repo") || $0.contains(".wh.") } == [])
            let origin = try #require(try await world.store.origins(of: build.id)[.host])
            #expect(origin.node == "n1" && origin.composes.map(\.id) == [compose])

            // The files of the compose are on the node now, so the next build does not send them.
            let files = try await n1.run("podman", ["images", "--quiet", "--filter", "reference=localhost/odcs-files"]).out
            _ = try await world.submit("app", .containerfile("FROM \(world.base)\nRUN touch /made\n"), composes: [compose])
            #expect(try await world.step(try await Self.claim(world)) == nil)
            #expect(try await n1.run("podman", ["images", "--quiet", "--filter", "reference=localhost/odcs-files"]).out == files)
            #expect(files.split(separator: "\n").count == 2, "\(files)")
        }
    }

    @Test("a registry that is away for all keeps a step on its node, which builds once, and the provenance names it")
    func registryAway() async throws {
        try await Self.run { world, _, _ in
            let build = try await world.submit("web", .containerfile("FROM \(world.base)\nRUN echo begun; sleep 5\n"))
            let lease = try await Self.claim(world)
            #expect(lease.step.node == "n1")
            let file = world.directory.appending("target").pushing(FilePath(BuildLayout(build: build.id).log(of: .host)))
            let first = Task { try await world.step(lease) }
            #expect(try await FollowedFile(file).awaitText("\nbegun\n"))
            try await world.registry.whileAway {
                #expect(try await first.value?.code == .registryUnreachable)
                let second = try await Self.claim(world)
                #expect(second.step.node == "n1")
                #expect(second.step.failedNodes == [])
                #expect(try await world.step(second)?.code == .registryUnreachable)
            }
            let third = try await Self.claim(world)
            #expect(third.step.node == "n1")
            #expect(try await world.step(third) == nil)
            let log = try world.log(of: build)
            #expect(log.ranges(of: "is built on the node").count == 1, "\(log)")
            #expect(try await world.store.origins(of: build.id)[.host]?.node == "n1")
        }
    }

    @Test("a node without a way to a registry that the worker reaches gives the step to another node at its second attempt")
    func noWayToRegistry() async throws {
        try await Self.run { world, _, _ in
            let settings = EngineNode.Settings(
                scratch: world.configuration.workDirectory, upload: { _, _ in throw NodeFailure(.registryDown, "It does not answer.") })
            var world = world
            world.farms = EngineConnections(keys: nil, settings: settings)
            var node = try await world.store.node("n1")
            node.delivery = .pull
            _ = try await world.store.changeNode(node)
            _ = try await world.submit("web", .containerfile("FROM scratch\nCOPY . /all\n"))
            #expect(try await world.step(try await Self.claim(world))?.code == .registryUnreachable)
            let second = try await Self.claim(world)
            #expect(second.step.node == "n1")
            let failure = try await world.step(second)
            #expect(
                failure?.message
                    == "The node n1 does not reach a registry that the worker reaches. It does not answer.", "\(failure?.message ?? "")")
            let third = try await Self.claim(world)
            #expect(third.step.node == "n2")
            #expect(third.step.failedNodes == ["n1"])
        }
    }

    @Test("a worker fetches the image of a node that does not push, and uploads it")
    func pulls() async throws {
        try await Self.run(delivery: .pull) { world, _, _ in
            let build = try await world.submit("web", .containerfile("FROM \(world.base)\nRUN echo x > /etc/x\n"))
            #expect(try await world.step(try await Self.claim(world)) == nil)
            #expect(try await world.step(try await Self.claim(world)) == nil)
            let done = try await world.build(build.id)
            let digest = try #require(done.steps[0].digest)
            let layers = try await world.layers(of: "web", digest)
            #expect(layers.last?.contains { $0.hasSuffix(" etc/x") } == true, "\(layers)")
            let left = try FileManager.default.contentsOfDirectory(atPath: world.configuration.workDirectory.string)
            #expect(left.isEmpty, "\(left)")
        }
    }

    @Test("a node that lies about what it has pushed is disabled, and another node does the step")
    func lies() async throws {
        try await Self.run { world, _, _ in
            let socket = world.directory.appending("liar.sock")
            try await ScriptedRegistry.with(socket: socket) { engine in
                let digest = ImageDigest(of: "lie".utf8)
                engine.answer { request in
                    switch (request.method, request.uri.split(separator: "/").last?.prefix { $0 != "?" } ?? "") {
                    case (_, "version"): .init(200, text: #"{"Version": "9", "Arch": "amd64", "Components": []}"#)
                    case ("POST", "build"): .init(200, text: #"{"stream": "Successfully built x\n"}"#)
                    case ("POST", "tag"): .init(201)
                    case ("POST", "push"): .init(200, text: #"{"aux": {"Digest": "\#(digest)"}}"#)
                    default: .init(200, text: #"{"Id": "\#(digest)"}"#)
                    }
                }
                var node = FarmNode(name: "liar", connection: .unix(path: socket.string))
                node.weight = 100
                #expect(try await world.store.addNode(node))
                let look = NodeLook(probe: .init(native: [.host]))
                try await world.store.record(look, at: try await world.store.node("liar"), next: .seconds(600))
                // First it has pushed nothing, and then something else.
                let other = try await world.submit("app", .containerfile("FROM \(world.base)\n"))
                var lease = try await Self.claim(world)
                #expect(lease.step.node == "liar")
                #expect(try await world.step(lease)?.message.contains("does not have the image that was pushed a moment ago") == true)
                #expect(try await world.store.node("liar").isEnabled)
                lease = try await Self.claim(world)
                #expect(lease.step.node == "n1")
                #expect(try await world.step(lease) == nil)
                #expect(try await world.step(try await Self.claim(world)) == nil)
                #expect(try await world.build(other.id).state == .done)
                let build = try await world.submit("web", .containerfile("FROM \(world.base)\n"))
                let target = PushTarget(try world.registry.repository("web"), tag: try build.tag(of: .host))
                _ = try await world.node.local.push(try ImageTag("base"), to: target) { _ in }
                lease = try await Self.claim(world)
                #expect(lease.step.node == "liar")
                #expect(try await world.step(lease)?.code == .digestMismatch)
                let liar = try await world.store.node("liar")
                #expect(!liar.isEnabled)
                #expect(liar.problem?.contains("The node liar says that it pushed \(digest)") == true, "\(liar.problem ?? "")")
                lease = try await Self.claim(world)
                #expect(lease.step.node == "n1")
                #expect(try await world.step(lease) == nil)
                #expect(try await world.step(try await Self.claim(world)) == nil)
                #expect(try await world.build(build.id).state == .done)
            }
        }
    }

    @Test("the image of a step that has ended is removed from its node, and that of another service stays")
    func sweeps() async throws {
        try await Self.run { world, n1, _ in
            let build = try await world.submit("web", .containerfile("FROM \(world.base)\nRUN exit 4\n"))
            _ = try await world.step(try await Self.claim(world))
            let ended = try PlatformStep.name(of: build.steps[0].id, submitted: build.timeSubmitted)
            let foreign = try PlatformStep.name(of: build.steps[0].id, submitted: .distantFuture)
            let running = try await world.submit("app", .containerfile("FROM \(world.base)\n"))
            let leased = try PlatformStep.name(of: running.steps[0].id, submitted: running.timeSubmitted)
            _ = try await Self.claim(world)
            for name in [ended, foreign, leased] {
                let tagged = try await n1.run("podman", ["tag", "\(world.base)", "localhost/odcs-step:\(name)"])
                if !tagged.isSuccess {
                    #expect(try await n1.run("podman", ["pull", "-q", "\(world.base)"]).isSuccess)
                    #expect(try await n1.run("podman", ["tag", "\(world.base)", "localhost/odcs-step:\(name)"]).isSuccess)
                }
            }
            try await Self.watch(world)
            let left = try await n1.run("podman", ["images", "--format", "{{.Repository}}:{{.Tag}}"]).out
            #expect(!left.contains(ended.text), "\(left)")
            #expect(left.contains(foreign.text) && left.contains(leased.text), "\(left)")
        }
    }

    @Test("a failure of the image is no failure of the node, and does not move")
    func ownFailure() async throws {
        try await Self.run { world, _, _ in
            let build = try await world.submit("web", .containerfile("FROM \(world.base)\nRUN exit 4\n"))
            let failure = try await world.step(try await Self.claim(world))
            #expect(failure?.code == .buildFailed)
            #expect(try await world.build(build.id).state == .failed)
            #expect(try await world.store.node("n1").state == .ready)
        }
    }

    @Test("images are removed from a node when a person asks, except for those of steps that are being built")
    func prunes() async throws {
        try await Self.run { world, n1, _ in
            _ = try await world.submit("web", .containerfile("FROM \(world.base)\nRUN exit 4\n"))
            _ = try await world.step(try await Self.claim(world))
            _ = try await world.store.askPrune(of: "n1", PruneRequest(all: true))
            try await Self.watch(world)
            let node = try await world.store.node("n1")
            #expect(node.prune.asked == nil)
            #expect(node.prune.result?.left == 0)
            let images = try await n1.run("podman", ["images", "-q"]).out
            #expect(images.isEmpty, "\(images)")
        }
    }
}
