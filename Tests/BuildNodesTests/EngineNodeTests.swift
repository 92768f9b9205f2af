import ContainerEngine
import Foundation
import Glibc
import ImageModel
import ImageTestKit
import Processes
import SystemPackage
import Testing

@testable import BuildNodes

/// Nodes with the engine of a real podman.
@Suite struct EngineNodeTests {
    /// A node, and a registry that it may push to.
    struct World: Sendable {
        let podman: TestPodman
        let registry: TestRegistry
        let connections: EngineConnections
        var node: FarmNode
        let context: FilePath

        /// - Parameter isTried: Whether the platforms of the node are known. Only such a node has lifelines.
        static func run(
            pulse: Duration = .seconds(3), isTried: Bool = false, _ test: @escaping @Sendable (World) async throws -> Void
        ) async throws {
            try await TestRegistry.with { registry in
                try await TestPodman.with(insecure: [registry.host]) { podman in
                    try await podman.withService { socket in
                        var world = try await make(podman, registry, .unix(path: socket.string), keys: nil, pulse: pulse)
                        if isTried { world.node.native = [.host] }
                        try await test(world)
                    }
                }
            }
        }

        static func make(
            _ podman: TestPodman, _ registry: TestRegistry, _ connection: NodeConnection, keys: FilePath?, pulse: Duration = .seconds(3),
            login: EngineLogin? = nil, logins: (@Sendable (ImageRepository) -> EngineLogin?)? = nil
        ) async throws -> World {
            let context = podman.directory.appending("context")
            try FileManager.default.createDirectory(atPath: context.string, withIntermediateDirectories: true)
            try await SmallImages.makeContext(in: context)
            var settings = EngineNode.Settings(
                scratch: podman.directory, login: logins ?? { _ in login },
                upload: { _, _ in throw NodeFailure(.node, "It pushes itself.") })
            settings.insecure = [registry.host]
            settings.pulse = pulse
            var node = FarmNode(name: "n1", connection: connection)
            node.identity = keys == nil ? nil : "builder"
            return World(
                podman: podman, registry: registry, connections: EngineConnections(keys: keys, settings: settings), node: node,
                context: context)
        }

        func specification(_ instructions: String, limits: BuildLimits = BuildLimits()) throws -> BuildSpecification {
            BuildSpecification(
                step: try ImageTag("step-1"), platform: .host, containerfile: SmallImages.containerfile + instructions, context: context,
                limits: limits)
        }

        func with<Value: Sendable>(_ body: @escaping @Sendable (EngineNode) async throws -> Value) async throws -> Value {
            try await connections.with(node, body)
        }

        /// Returns the failure of a build, and what it has printed.
        func failure(
            of specification: BuildSpecification, during work: @escaping @Sendable (String) -> Void = { _ in }
        ) async throws -> NodeFailure {
            try #require(
                await #expect(throws: NodeFailure.self) {
                    try await with { node in _ = try await node.build(specification, log: work) }
                })
        }

        /// Expects that an instruction ends on the node if its build is canceled.
        func expectEnd(of mark: ProcessMark) async throws {
            let prepared = try specification(mark.instruction + " && echo over\n")
            let (signs, sign) = AsyncStream.makeStream(of: Void.self)
            let running = Task {
                // A build that fails ends the wait as well.
                defer { sign.finish() }
                try await with { node in _ = try await node.build(prepared) { if mark.isSign($0) { sign.yield() } } }
            }
            var hasBegun = false
            for await _ in signs {
                hasBegun = true
                break
            }
            try #require(hasBegun)
            // The shell has printed the line, and is about to start the program.
            while try mark.isGone { await Task.yield() }
            running.cancel()
            await #expect(throws: CancellationError.self) { try await running.value }
            #expect(try await mark.awaitEnd())
        }

        /// The engine itself, as its other users see it.
        var engine: ContainerEngine { ContainerEngine(socket: podman.socket) }

        func target(_ tag: String) throws -> PushTarget { PushTarget(try registry.repository("app"), tag: try ImageTag(tag)) }
    }

    @Test("an image is built and pushed by the node, and the registry has the digest that it reports")
    func push() async throws {
        try await World.run { world in
            let lines = LineLog()
            // A file that the context ignores is not copied, and neither is the file with the instructions.
            try "secret\n".write(toFile: "\(world.context)/.dockerignore", atomically: true, encoding: .utf8)
            try "x".write(toFile: "\(world.context)/secret", atomically: true, encoding: .utf8)
            var specification = try world.specification("COPY . /all\nRUN echo built > /built; echo files: $(ls -A /all)\n")
            specification.labels = ["vnd.example": "a \"b\""]
            specification.arguments = ["VERSION": "2"]
            specification.timestamp = 1_700_000_000
            let prepared = specification
            let digest = try await world.with { node in
                let built = try await node.build(prepared) { lines.append($0) }
                #expect(try await node.image(of: prepared.step) == built.image)
                return try await node.push(prepared.step, to: world.target("1")) { lines.append($0) }
            }
            #expect(lines.all.contains { $0.contains("RUN echo built") })
            #expect(lines.all.contains("files: .dockerignore root"), "\(lines.all)")
            let reference = ImageReference(try world.registry.repository("app"), digest: digest)
            let configuration = try await Skopeo.inspect(reference)
            #expect(configuration.contains(Platform.host.architecture))
            #expect(configuration.contains(#"a \"b\""#))
            try await world.with { try await $0.remove(prepared.step) }
            let image = try await world.with { try await $0.image(of: prepared.step) }
            #expect(image == nil)
            #expect(try FileManager.default.contentsOfDirectory(atPath: world.podman.directory.string).allSatisfy { !$0.hasSuffix(".tar") })
        }
    }

    @Test("a node gets the logins for the registry that it pushes to, and for those of base images")
    func logins() async throws {
        try await TestRegistry.with(passwords: true) { registry in
            try await TestPodman.with(insecure: [registry.host]) { podman in
                try await podman.withService { socket in
                    let world = try await World.make(
                        podman, registry, .unix(path: socket.string), keys: nil,
                        login: EngineLogin(username: TestRegistry.user, password: TestRegistry.password))
                    let base = try world.specification("")
                    let digest = try await world.with { node in
                        _ = try await node.build(base) { _ in }
                        let digest = try await node.push(base.step, to: world.target("1")) { _ in }
                        _ = try await node.prune(PruneRequest(all: true), leased: { [] })
                        return digest
                    }
                    var specification = try world.specification("")
                    specification.containerfile = "FROM \(registry.host)/app@\(digest)\nRUN echo built\n"
                    specification.repositories = [try registry.repository("app")]
                    let prepared = specification
                    try await world.with { _ = try await $0.build(prepared) { _ in } }
                    let refused = try await world.failure(
                        of: {
                            var specification = prepared
                            specification.step = try ImageTag("step-2")
                            specification.containerfile = "FROM \(registry.host)/other:1\n"
                            specification.repositories = []
                            return specification
                        }())
                    #expect(refused.kind == .registryRefuses, "\(refused.sentence)")
                }
            }
        }
    }

    @Test("a node gets a login for each repository, and not one for all of a registry")
    func loginsOfRepositories() async throws {
        try await TestRegistry.with(passwords: true) { registry in
            try await TestPodman.with(insecure: [registry.host]) { podman in
                try await podman.withService { socket in
                    let right = EngineLogin(username: TestRegistry.user, password: TestRegistry.password)
                    let world = try await World.make(
                        podman, registry, .unix(path: socket.string), keys: nil,
                        logins: { $0.path == "zzz" ? EngineLogin(username: "other", password: "wrong") : right })
                    var specification = try world.specification("")
                    let base = specification
                    let digest = try await world.with { node in
                        _ = try await node.build(base) { _ in }
                        let digest = try await node.push(base.step, to: world.target("1")) { _ in }
                        _ = try await node.prune(PruneRequest(all: true), leased: { [] })
                        return digest
                    }
                    specification.containerfile = "FROM \(registry.host)/app@\(digest)\nRUN echo built\n"
                    specification.repositories = [try registry.repository("app"), try registry.repository("zzz")]
                    let prepared = specification
                    try await world.with { _ = try await $0.build(prepared) { _ in } }
                }
            }
        }
    }

    @Test("a build that needs more disk or memory than the node has does not begin there, and says how much there is")
    func needs() async throws {
        try await World.run { world in
            var specification = try world.specification("RUN echo built\n")
            specification.needs = BuildNeeds(diskBytes: 1 << 20, memoryBytes: 1 << 20)
            let modest = specification
            try await world.with { _ = try await $0.build(modest) { _ in } }
            specification.needs = BuildNeeds(diskBytes: 1 << 50)
            let disk = try await world.failure(of: specification)
            #expect(disk.kind == .diskFull && disk.isOfNode)
            #expect(disk.sentence.hasPrefix("The image needs 1073741824 MB of free disk space, and the node n1 has "), "\(disk.sentence)")
            specification.needs = BuildNeeds(memoryBytes: 1 << 50)
            let memory = try await world.failure(of: specification)
            #expect(memory.kind == .memoryMissing && memory.isOfNode)
            #expect(memory.sentence.contains("the node n1 is smaller: it has "), "\(memory.sentence)")
        }
    }

    @Test("an instruction that fails is a failure although the answer has the status 200")
    func instruction() async throws {
        try await World.run { world in
            let failure = try await world.failure(of: try world.specification("RUN echo before && exit 3\n"))
            #expect(failure.kind == .instruction)
            #expect(failure.status == 3)
            #expect(failure.sentence.contains("ended with the status 3: before"), "\(failure.sentence)")
            #expect(!failure.isOfNode)
            let unknown = try await world.failure(of: try world.specification("RUNS x\n"))
            #expect(unknown.kind == .containerfile, "\(unknown.sentence)")
        }
    }

    @Test("a node whose service dies during a build is lost at once")
    func killed() async throws {
        try await World.run { world in
            let failure = try await world.failure(of: try world.specification("RUN echo begun && sleep 60\n")) { line in
                if line == "begun" { try? world.podman.signalService(SIGKILL) }
            }
            #expect(failure.kind == .nodeLost, "\(failure.sentence)")
            #expect(failure.isOfNode)
        }
    }

    @Test("a node that hangs during a build is lost, although its stream does not end")
    func hangs() async throws {
        try await World.run(pulse: .milliseconds(300)) { world in
            let failure = try await world.failure(of: try world.specification("RUN echo begun && sleep 60\n")) { line in
                if line == "begun" { try? world.podman.signalService(SIGSTOP) }
            }
            #expect(failure.sentence == "The node n1 does not answer any more.")
            // Otherwise it could not end.
            try world.podman.signalService(SIGKILL)
        }
    }

    @Test("a build ends at its limits of time and log")
    func limits() async throws {
        try await World.run { world in
            let slow = try await world.failure(of: try world.specification("RUN sleep 60\n", limits: BuildLimits(time: .seconds(3))))
            #expect(slow.kind == .timeLimit)
            // Without a lifeline, the engine goes on with the instruction, so it must end by itself.
            let loop = "RUN i=0; while [ $i -lt 100000 ]; do echo much output; i=$((i+1)); done\n"
            let loud = try await world.failure(of: try world.specification(loop, limits: BuildLimits(logBytes: 4096)))
            #expect(loud.kind == .logLimit)
        }
    }

    @Test("a build that is canceled or exceeds a limit ends its instruction on the node, and leaves no container")
    func ended() async throws {
        try await World.run(isTried: true) { world in
            try await world.expectEnd(of: ProcessMark())
            let slow = ProcessMark()
            let late = try await world.failure(
                of: try world.specification(slow.instruction + "\n", limits: BuildLimits(time: .seconds(5))))
            #expect(late.kind == .timeLimit)
            #expect(try await slow.awaitEnd())
            #expect(try await world.engine.containers(with: "vnd.odcs.step") == [])
            // The node builds on.
            let next = try world.specification("RUN echo built\n")
            try await world.with { _ = try await $0.build(next) { _ in } }
        }
    }

    @Test("what a killed worker has left on a node ends with the next attempt at the step, or with a sweep after its end")
    func leftByWorker() async throws {
        try await World.run(isTried: true) { world in
            let specification = try world.specification("RUN echo built\n")
            try await world.with { _ = try await $0.build(specification) { _ in } }
            // A container as that of a build, and the names of a push.
            func leave(_ step: String) async throws {
                _ = try await world.engine.run(
                    image: "localhost/odcs-lifeline:1-\(Platform.host.inNames)", ["/lifeline"], named: "odcs-\(step)",
                    labels: ["vnd.odcs.step": step])
            }
            func steps() async throws -> [String] {
                try await world.engine.containers(with: "vnd.odcs.step").compactMap { $0.labels["vnd.odcs.step"] }.sorted()
            }
            try await leave("step-1")
            try await world.with { _ = try await $0.build(specification) { _ in } }
            #expect(try await steps() == [])

            try await leave("step-1")
            try await leave("step-2")
            let tag = "image-\(Platform.host.inNames)-20261129"
            try await world.engine.tag("localhost/odcs-step:step-1", as: "\(world.registry.host)/app", tag: tag)
            try await world.engine.tag("localhost/odcs-step:step-1", as: "\(world.registry.host)/app", tag: "mine")
            try await world.with { try await $0.sweep { steps in steps.filter { $0.text == "step-1" } } }
            #expect(try await steps() == ["step-2"])
            let names = try await world.engine.images().flatMap(\.names).filter { !$0.contains("lifeline") }
            #expect(names == ["\(world.registry.host)/app:mine"])
            try await world.with { try await $0.sweep { $0 } }
            #expect(try await steps() == [])
        }
    }

    @Test("builds that begin at the same time share one transfer of the files that they need")
    func shared() async throws {
        try await World.run { world in
            let folder = world.podman.directory.appending("files")
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
            try "packages".write(toFile: "\(folder)/fix", atomically: true, encoding: .utf8)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...3 {
                    let mount = "--mount=type=bind,from=odcs,source=/,target=/run/odcs"
                    var specification = try world.specification("RUN \(mount) cat /run/odcs/fix\n")
                    specification.step = try ImageTag("step-\(number)")
                    specification.namedContexts = ["odcs": folder]
                    let prepared = specification
                    group.addTask { try await world.with { _ = try await $0.build(prepared) { _ in } } }
                }
                try await group.waitForAll()
            }
            // A second transfer would have taken the name from the image of the first one.
            let images = try await world.engine.images()
            #expect(images.flatMap(\.names).count { $0.hasPrefix("localhost/odcs-files:") } == 1)
            #expect(images.count { $0.isNameless } == 0, "\(images)")
        }
    }

    @Test("a node that is away is lost, with the reason")
    func away() async throws {
        try await TestRegistry.with { registry in
            try await TestPodman.with { podman in
                let world = try await World.make(podman, registry, .unix(path: "\(podman.directory)/nothing.sock"), keys: nil)
                let failure = await #expect(throws: NodeFailure.self) { try await world.with { _ = try await $0.version() } }
                #expect(failure?.sentence == "The node n1 is lost: its socket is not there, on the host of the worker.")
            }
        }
    }

    @Test("a probe finds the own platform, and why another one is absent")
    func probe() async throws {
        try await World.run { world in
            try await EmulatorRegistration.exclusively {
                let found = try await world.with { try await $0.probe() }
                #expect(found.native == [.host])
                let other = try Platform(Platform.host.architecture == "amd64" ? "linux/arm64" : "linux/amd64")
                if EmulatorRegistration.hostHasOne {
                    #expect(found.emulated == [other])
                } else {
                    #expect(found.absent[other]?.contains("no emulator is registered") == true, "\(found)")
                }
                // Nothing of the probe stays.
                let (_, left) = try await world.with { try await $0.prune(PruneRequest(), leased: { [] }) }
                #expect(left == 0)
            }
        }
    }

    @Test("a trial of the own platform that exceeds its time fails the look, and does not make the platform absent")
    func slowProbe() async throws {
        try await World.run { world in
            let failure = await #expect(throws: NodeFailure.self) {
                try await world.with { node in
                    _ = try await EngineProbe(node: node, own: Platform.host.architecture, limit: .milliseconds(1)).support(for: .host)
                }
            }
            #expect(failure?.kind == .timeLimit)
            let found = try await world.with { try await $0.probe() }
            #expect(found.native == [.host])
        }
    }

    @Test("a probe finds a platform with an emulator")
    func emulated() async throws {
        try await EmulatorRegistration.ifAllowed {
            try await World.run { world in
                let found = try await world.with { try await $0.probe() }
                #expect(found.native == [.host])
                #expect(found.emulated == [try Platform("linux/arm64")])
            }
        }
    }

    @Test("images are removed from a node, except for those of steps that are being built")
    func prune() async throws {
        try await World.run { world in
            for name in ["step-1", "step-2"] {
                var specification = try world.specification("")
                specification.step = try ImageTag(name)
                let prepared = specification
                try await world.with { _ = try await $0.build(prepared) { _ in } }
            }
            let leased: Set<ImageTag> = [try ImageTag("step-2")]
            let pruned = try await world.with { try await $0.prune(PruneRequest(all: true), leased: { leased }) }
            #expect(pruned == (1, 1))
            let rest = try await world.with { try await $0.prune(PruneRequest(all: true), leased: { [] }) }
            #expect(rest == (1, 0))
        }
    }

    @Test("a node over TLS builds and pushes, and says why if a certificate is not trusted")
    func tls() async throws {
        try await TestRegistry.with { registry in
            try await TestPodman.with(insecure: [registry.host]) { podman in
                try await podman.withService { socket in
                    try await TestTLSEnd.with(socket) { end in
                        var world = try await World.make(podman, registry, .tls(host: "localhost", port: end.port), keys: end.keys)
                        let specification = try world.specification("RUN echo built > /built\n")
                        let target = try world.target("1")
                        let digest = try await world.with { node in
                            #expect(try await node.version().hasPrefix("podman "))
                            _ = try await node.build(specification) { _ in }
                            return try await node.push(specification.step, to: target) { _ in }
                        }
                        _ = try await Skopeo.inspect(ImageReference(try registry.repository("app"), digest: digest))
                        world.node.identity = nil
                        let anonymous = world
                        let refused = await #expect(throws: NodeFailure.self) { try await anonymous.with { _ = try await $0.version() } }
                        #expect(refused?.sentence == "The node n1 is lost: it refuses the certificate of the worker.")
                        try FileManager.default.removeItem(atPath: "\(end.keys)/ca.pem")
                        try FileManager.default.moveItem(atPath: "\(end.keys)/other.pem", toPath: "\(end.keys)/ca.pem")
                        let distrusted = await #expect(throws: NodeFailure.self) { try await anonymous.with { _ = try await $0.version() } }
                        #expect(distrusted?.sentence == "The node n1 is lost: the worker does not trust its certificate.")
                    }
                }
            }
        }
    }

    @Test("a node over ssh builds and pushes", .enabled(if: TestSSHServer.obstacle == nil, "sshd is not installed"))
    func ssh() async throws {
        try await TestSSHServer.with { server in
            try await TestRegistry.with { registry in
                try await TestPodman.with(insecure: [registry.host]) { podman in
                    try await podman.withService { socket in
                        // sshd runs as another account.
                        chmod(podman.directory.string, 0o755)
                        chmod(socket.string, 0o666)
                        let connection = NodeConnection.ssh(user: server.user, host: "127.0.0.1", port: server.port, path: socket.string)
                        let world = try await World.make(podman, registry, connection, keys: server.keys)
                        let specification = try world.specification("RUN echo built > /built\n")
                        let digest = try await world.with { node in
                            #expect(try await node.version().hasPrefix("podman "))
                            _ = try await node.build(specification) { _ in }
                            return try await node.push(specification.step, to: world.target("1")) { _ in }
                        }
                        _ = try await Skopeo.inspect(ImageReference(try registry.repository("app"), digest: digest))

                        // The connection breaks in the middle of an instruction.
                        let failure = try await world.failure(of: try world.specification("RUN echo begun && sleep 5\n")) { line in
                            if line == "begun" { killTunnels(to: server.port) }
                        }
                        #expect(failure.kind == .nodeLost, "\(failure.sentence)")
                        #expect(failure.isOfNode)

                        // A build that is canceled ends its instruction through the tunnel.
                        var tried = world
                        tried.node.native = [.host]
                        try await tried.expectEnd(of: ProcessMark())
                    }
                }
            }
        }
    }

    /// Kills the programs ssh that lead to a port.
    private func killTunnels(to port: Int) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        for process in names.compactMap({ pid_t($0) }) {
            guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { continue }
            let words = String(decoding: line, as: UTF8.self).split(separator: "\0")
            if words.first == "ssh", words.contains("\(port)") { kill(process, SIGKILL) }
        }
    }

    @Test(
        "a node over ssh is lost if its host key has changed or is not known, or if it refuses the key",
        .enabled(if: TestSSHServer.obstacle == nil, "sshd is not installed"))
    func hostKeys() async throws {
        try await TestSSHServer.with { server in
            try await TestRegistry.with { registry in
                try await TestPodman.with { podman in
                    let connection = NodeConnection.ssh(user: server.user, host: "127.0.0.1", port: server.port, path: "/none.sock")
                    let world = try await World.make(podman, registry, connection, keys: server.keys)
                    func sentence() async -> String? {
                        await #expect(throws: NodeFailure.self) { try await world.with { _ = try await $0.version() } }?.sentence
                    }
                    // The host is reached, and has no such socket.
                    #expect(await sentence()?.hasPrefix("The node n1 is lost: ") == true)
                    let known = server.keys.appending("known_hosts").string
                    let text = try String(contentsOfFile: known, encoding: .utf8)
                    try text.replacing("AAAA", with: "AAAB").write(toFile: known, atomically: true, encoding: .utf8)
                    #expect(await sentence()?.contains("its host key is not known") == true)
                    let other = try String(contentsOfFile: "\(server.keys)/builder.pub", encoding: .utf8)
                    try "[127.0.0.1]:\(server.port) \(other)".write(toFile: known, atomically: true, encoding: .utf8)
                    #expect(
                        await sentence()
                            == "The node n1 is lost: its host key has changed. Find out why, and then correct the file of known hosts.")
                    try text.write(toFile: known, atomically: true, encoding: .utf8)
                    try FileManager.default.removeItem(atPath: "\(server.keys)/builder")
                    #expect(await sentence() == "The worker has no key builder. Put it into the directory images.node_keys.")
                }
            }
        }
    }
}
