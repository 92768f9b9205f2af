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

@Suite("The steps of a build", .serialized, .timeLimit(.minutes(5)))
struct BuildStepTests {
    @Test("an image is built and pushed, and the date and latest show its list")
    func build() async throws {
        try await StepWorld.run { world in
            let build = try await world.submit(
                source: "FROM \(world.base)\nARG TARGETARCH\nRUN echo made for $TARGETARCH >/made; echo a line; stat /made\n")
            let done = try await world.finish(build)
            #expect(done.state == .done)
            let digest = try #require(done.digest)
            #expect(try await world.digest("team/app", tag: StepWorld.day) == digest)
            #expect(try await world.digest("team/app", tag: "latest") == digest)
            let pushed = try #require(done.steps.first?.digest)
            #expect(try await world.digest("team/app", tag: "image-linux-\(Platform.host.architecture)-\(StepWorld.day)") == pushed)
            let list = try await world.client.manifest(ImageReference(world.registry.repository("team/app"), digest: digest))
            guard case .index(let index) = list.content else { throw StepWorld.TestError("There is no index.") }
            #expect(try index.manifest(for: .host).digest == pushed)
            #expect(index.annotations["vnd.odcs.build"] == "\(build.id)")
            // The base image is pinned, and the image says so.
            let base = try #require(try await world.digest("base", tag: "1"))
            #expect(done.pins == BuildPins(images: [world.base: base]))
            let manifest = try await world.client.manifest(ImageReference(world.registry.repository("team/app"), digest: pushed))
            guard case .manifest(let image) = manifest.content else { throw StepWorld.TestError("There is no manifest.") }
            let configuration = try ImageConfiguration(
                try await world.client.blob(image.configuration, of: world.registry.repository("team/app")))
            #expect(configuration.labels["org.opencontainers.image.base.digest"] == base.description)
            let log = try world.log(of: build)
            #expect(log.contains("\na line\n"))
            #expect(log.contains("odcs: \(world.base) is \(base)."))
            #expect(try await world.store.contents(of: pushed)?.state == Contents.State.none)
            let directories = try FileManager.default.contentsOfDirectory(atPath: world.configuration.workDirectory.string)
            #expect(directories == [])
        }
    }

    @Test("an uploaded context is built for two platforms, and the list has both")
    func platforms() async throws {
        try await StepWorld.run { world in
            let platforms = [try Platform("linux/amd64"), try Platform("linux/arm64")]
            let files = [("Containerfile", "FROM scratch\nCOPY data /data\n"), ("data", "text\n")]
            let archive = files.map { SmallImage.tar($0.0, Array($0.1.utf8)).dropLast(1024) }.joined() + [UInt8](repeating: 0, count: 1024)
            let digest = try await world.upload(Array(archive))
            let build = try await world.submit("team/app", .archive(digest), platforms: platforms)
            let done = try await world.finish(build, platforms: platforms)
            #expect(done.state == .done)
            let reference = ImageReference(try world.registry.repository("team/app"), digest: done.digest)
            guard case .index(let index) = try await world.client.manifest(reference).content else {
                throw StepWorld.TestError("There is no index.")
            }
            #expect(index.platforms == platforms)
            let pushed = try #require(done.steps.first?.digest)
            #expect(try await world.layers(of: "team/app", pushed).joined().contains { $0.hasSuffix(" data") })
        }
    }

    @Test("a registry that is down for a moment gets one push, and nothing is built twice")
    func registryDown() async throws {
        try await StepWorld.run { world in
            let build = try await world.submit(source: "FROM \(world.base)\nRUN touch /made\n")
            world.node.loseRegistry(pushes: 1)
            let failure = try #require(try await world.step())
            #expect(failure.code == .registryUnreachable)
            #expect(failure.isTransient)
            #expect(try await Array(world.store.begunSteps().keys) == build.steps.prefix(1).map(\.id))
            let done = try await world.finish(build)
            #expect(done.state == .done)
            #expect(world.node.builds == 1)
            #expect(done.steps.first?.attempts == 2)
        }
    }

    @Test("an image that a node has for a step of the same number in another database is not pushed")
    func otherDatabase() async throws {
        try await StepWorld.run { world in
            let build = try await world.submit(source: "FROM \(world.base)\nRUN touch /made\n")
            let step = build.steps[0].id
            for name in ["step-\(step)", "step-\(step)-1000"] {
                let specification = BuildSpecification(
                    step: try ImageTag(name), platform: .host, containerfile: "FROM \(world.base)\nRUN touch /foreign\n",
                    context: world.directory.appending("base"))
                _ = try await world.node.local.build(specification) { _ in }
            }
            let done = try await world.finish(build)
            #expect(world.node.builds == 1)
            let layers = try await world.layers(of: "team/app", try #require(done.steps.first?.digest))
            #expect(layers.joined().contains { $0.hasSuffix(" made") })
            #expect(!layers.joined().contains { $0.hasSuffix(" foreign") })
        }
    }

    @Test("an unexpected error is not in the log of the build, which everybody can read")
    func unexpected() async throws {
        try await StepWorld.run { world in
            let build = try await world.submit(source: "FROM \(world.base)\nRUN touch /made\n")
            world.reader.breakDown()
            await #expect(throws: ScriptedReader.Unexpected.self) { try await world.step() }
            let log = try world.log(of: build)
            #expect(log.hasSuffix("odcs: The step failed unexpectedly.\n"))
            #expect(!log.contains("/srv/secret"))
        }
    }

    @Test("an image of FROM that is not there fails the build before anything runs, with the tags that are there")
    func baseGone() async throws {
        try await StepWorld.run { world in
            let build = try await world.submit(source: "FROM \(world.registry.host)/base:2\nRUN touch /made\n")
            let failure = try #require(try await world.step())
            #expect(failure.code == .baseNotFound)
            #expect(
                failure.message
                    == "The image \(world.registry.host)/base:2 in line 1 of the Containerfile is not in its registry. The registry has 1.")
            #expect(world.node.builds == 0)
            #expect(try await world.build(build.id).state == .failed)
        }
    }

    @Test("a RUN cannot mount files of the host by a link, neither of a stage nor of the context")
    func links() async throws {
        try await StepWorld.run { world in
            let secret = world.directory.appending("work")
            _ = try await world.submit(
                source:
                    "FROM \(world.base) AS a\nRUN ln -s \(secret) /s\nFROM \(world.base)\nRUN --mount=from=a,source=/s,target=/x ls /x\n")
            let stage = try #require(try await world.step())
            #expect(
                stage.message
                    == "The Containerfile cannot be used: line 4: RUN --mount with source=/s of from=a is not allowed: it may be a link that "
                    + "leads out of the build. Leave source out, or use COPY --from=a")
            let folder = world.directory.appending("linked")
            try FileManager.default.createDirectory(atPath: folder.string, withIntermediateDirectories: true)
            try "FROM \(world.base)\nRUN --mount=source=a/../s/x,target=/x ls /x\n"
                .write(toFile: folder.appending("Containerfile").string, atomically: true, encoding: .utf8)
            try FileManager.default.createSymbolicLink(atPath: folder.appending("s").string, withDestinationPath: secret.string)
            let tar = try await run(
                .name("tar"), arguments: ["--create", "--directory", folder.string, "."], output: .data(limit: 1 << 20))
            _ = try await world.submit("team/app", .archive(try await world.upload(Array(tar.standardOutput))))
            let context = try #require(try await world.step())
            #expect(
                context.message
                    == "The Containerfile cannot be used: line 2: RUN --mount with source=a/../s/x is not allowed: \"s\" is a link in the context"
            )
            #expect(world.node.builds == 0)
        }
    }

    @Test("a base with ONBUILD instructions is refused, because the builder would run them without a check")
    func triggers() async throws {
        try await StepWorld.run { world in
            let trigger = "RUN --mount=type=bind,rw,from=odcs,target=/x rm -rf /x"
            let base = SmallImage(config: "{\"OnBuild\":[\"\(trigger)\"]}")
            let repository = try world.registry.repository("vendor/base")
            for (descriptor, bytes) in base.blobs { try await world.client.upload(descriptor, to: repository, BytesContent(bytes)) }
            try await world.client.put(base.document, to: repository)
            let index = ManifestDocument(ImageIndex(manifests: [base.document.descriptor(platform: .host)]))
            try await world.client.put(index, to: repository, tag: ImageTag("9"))
            _ = try await world.submit(source: "FROM \(world.base) AS tools\nFROM \(repository):9\nCOPY --from=tools /etc/hostname /x\n")
            let failure = try #require(try await world.step())
            #expect(
                failure.message
                    == "The Containerfile cannot be used: line 2: the image \(repository):9 has the instruction ONBUILD \(trigger), which no rule has checked"
            )
            #expect(world.node.builds == 0)
        }
    }

    @Test("an instruction that is refused fails the build with its line")
    func refused() async throws {
        try await StepWorld.run { world in
            _ = try await world.submit(source: "FROM \(world.base)\nRUN --network=host touch /made\n")
            let failure = try #require(try await world.step())
            #expect(failure.code == .badContainerfile)
            #expect(failure.message.contains("line 2: RUN --network=host is not allowed"))
            #expect(world.node.builds == 0)
        }
    }

    @Test("each RUN reads the packages of a compose, and nothing of the compose is in the layer, whose files belong to root")
    func compose() async throws {
        try await StepWorld.run { world in
            let compose = try await world.compose()
            let build = try await world.submit(
                source: "FROM \(world.base)\nRUN cat /run/odcs-\(compose)/x86_64/fix /etc/yum.repos.d/*; cat /proc/net/dev; touch /made\n",
                composes: [compose])
            let done = try await world.finish(build)
            #expect(done.state == .done)
            let log = try world.log(of: build)
            #expect(log.contains("\npackages\n"))
            #expect(log.contains("\nbaseurl=file:///run/odcs-\(compose)/$basearch/os\n"))
            #expect(!log.contains("[own]"))
            #expect(!log.contains("eth0"))
            let layers = try await world.layers(of: "team/app", try #require(done.steps.first?.digest))
            let last = try #require(layers.last)
            #expect(last.contains { $0.hasSuffix(" made") })
            #expect(last.filter { $0.contains("odcs") || $0.contains("yum.repos.d") } == [])
            let owners = Set(layers.joined().map { $0.split(separator: " ", omittingEmptySubsequences: true)[1] })
            #expect(owners == ["0/0"])
        }
    }

    @Test("a compose can be used after the server got another address")
    func otherAddress() async throws {
        try await StepWorld.run { world in
            let compose = try await world.compose(at: "https://old.example:8443/odcs")
            let build = try await world.submit(source: "FROM \(world.base)\nRUN cat /etc/yum.repos.d/*\n", composes: [compose])
            #expect(try await world.finish(build).state == .done)
            let log = try world.log(of: build)
            #expect(log.contains("\nbaseurl=file:///run/odcs-\(compose)/$basearch/os\n"))
            #expect(log.contains("\ngpgkey=file:///run/odcs-\(compose)/x86_64/os/key\n"))
        }
    }

    @Test("a result that still has the older package is published under no tag")
    func stillOlder() async throws {
        try await StepWorld.run { world in
            let image = try await world.addImage("team/app", .containerfile("FROM \(world.base)\nRUN touch /made\n"))
            let old = InstalledPackage(name: "openssl-libs", evr: EVR(epoch: 1, version: "3.0.7", release: "27"), arch: "x86_64")
            let newest = EVR(epoch: 1, version: "3.0.7", release: "28")
            world.reader.set([old], in: image.repository)
            let plan = RebuildPlan(rows: [
                .init(
                    image: image.id, decision: .build, reason: "has an older build",
                    findings: [.init(platform: .host, findings: [.init(installed: old, newest: newest)])])
            ])
            let rebuild = try await world.store.submitRebuild(
                plan, for: world.compose(), because: RebuildReason(advisory: "RHSA-2026:1"), owner: "me", dateTag: ImageTag(StepWorld.day))
            let failure = try #require(try await world.step())
            #expect(failure.code == .stillOlder)
            #expect(failure.message.contains("openssl-libs-1:3.0.7-27.x86_64"))
            #expect(try await world.digest("team/app", tag: "latest") == nil)
            #expect(try await world.digest("team/app", tag: StepWorld.day) == nil)
            #expect(try await world.build(#require(rebuild.rows.first?.build)).state == .failed)
        }
    }

    @Test("a list without a platform that failed has only the tag of the date, and names the platform")
    func leftOut() async throws {
        try await StepWorld.run { world in
            let other = try Platform("linux/s390x")
            var image = try await world.addImage(
                "team/app", .containerfile("FROM \(world.base)\nRUN touch /made\n"), platforms: [other, .host])
            image.definition.requiredPlatforms = [.host]
            let build = try await world.store.submitBuild(
                of: image.id, BuildRequest(image.definition), owner: "me", dateTag: ImageTag(StepWorld.day))
            let lease = try #require(
                try await world.store.claimStep(by: "w", offering: StepOffer(platforms: [other]), for: .seconds(600)))
            _ = try await world.store.fail(
                lease, with: BuildFailure(.buildFailed, "RUN touch /made exited with 1."), retries: RetryPolicy())
            #expect(try await world.step() == nil)
            #expect(try await world.step() == nil)
            let done = try await world.build(build.id)
            #expect(done.state == .done)
            #expect(try await world.digest("team/app", tag: StepWorld.day) == done.digest)
            #expect(try await world.digest("team/app", tag: "latest") == nil)
            let list = try await world.client.manifest(ImageReference(image.repository, digest: #require(done.digest)))
            guard case .index(let index) = list.content else { throw StepWorld.TestError("no index") }
            #expect(index.manifests.map(\.platform) == [.host])
            #expect(index.annotations["vnd.odcs.left-out"] == "linux/s390x")
        }
    }

    @Test("the tags of a definition are written too, its caches last for the next build, and a need that is not met fails the step")
    func definition() async throws {
        try await StepWorld.run { world in
            let source = ImageDefinition.Source.containerfile(
                "FROM \(world.base)\nRUN { while read -r line; do echo found $line; done; } </var/ccache/file; echo kept >/var/ccache/file; touch /made\n"
            )
            var definition = ImageDefinition(source: source, platforms: [.host])
            definition.tags = ["stable", "v1-{date}"]
            definition.caches = ["ccache": "/var/ccache"]
            let repository = try world.registry.repository("team/app")
            guard case .added(let image) = try await world.store.addImage(repository, as: definition, by: StepWorld.owner) else {
                throw StepWorld.TestError("The image was not added.")
            }
            func submit(_ definition: ImageDefinition) async throws -> Build {
                try await world.store.submitBuild(
                    of: image.id, BuildRequest(definition), owner: "me", dateTag: ImageTag(StepWorld.day))
            }
            let first = try await world.finish(submit(image.definition))
            for tag in [StepWorld.day, "v1-\(StepWorld.day)", "stable", "latest"] {
                #expect(try await world.digest("team/app", tag: tag) == first.digest, "\(tag)")
            }
            let second = try await world.finish(submit(image.definition))
            #expect(try world.log(of: second).contains("\nfound kept\n"))
            #expect(try await world.digest("team/app", tag: "stable") == second.digest)
            #expect(try await world.digest("team/app", tag: "v1-\(StepWorld.day)") == first.digest)
            #expect(try await world.digest("team/app", tag: "v1-\(StepWorld.day).2") == second.digest)
            // A tag that moves, and that another program has moved, stops the build.
            let foreign = ManifestDocument(ImageIndex(manifests: [], annotations: ["by": "another"]))
            try await world.client.put(foreign, to: repository, tag: ImageTag("stable"))
            _ = try await submit(image.definition)
            #expect(try await world.step() == nil)
            #expect(try #require(try await world.step()).code == .tagMoved)
            definition.memoryMegabytes = 100_000_000
            _ = try await submit(definition)
            let failure = try #require(try await world.step())
            #expect(failure.code == .limitExceeded)
            #expect(failure.isTransient)
        }
    }

    @Test("a platform whose image was deleted before the list is written is pushed again, and nothing is built twice")
    func deletedBeforeList() async throws {
        try await StepWorld.run { world in
            let build = try await world.submit(source: "FROM \(world.base)\nRUN touch /made\n")
            #expect(try await world.step() == nil)
            let pushed = try #require(try await world.build(build.id).steps.first?.digest)
            try await world.delete(pushed, of: "team/app")
            let failure = try #require(try await world.step())
            #expect(failure.code == .registryRefused)
            #expect(
                failure.message.hasPrefix(
                    "The registry lost the image for \(Platform.host), \(pushed) before the manifest list was written."))
            let waiting = try await world.build(build.id)
            #expect(waiting.steps.map(\.state) == [.wait, .wait])
            #expect(try await world.digest("team/app", tag: StepWorld.day) == nil)
            let done = try await world.finish(build)
            #expect(done.state == .done)
            #expect(world.node.builds == 1)
            #expect(done.steps.map(\.attempts) == [2, 2])
            #expect(try await world.digest("team/app", tag: "latest") == done.digest)
            #expect(try await world.client.manifest(ImageReference(world.registry.repository("team/app"), digest: pushed)).digest == pushed)
        }
    }

    @Test(
        "a node that reports another digest than the registry shows is disabled until an operator has checked it, and another does the step",
        arguments: [true, false])
    func lie(isKnown: Bool) async throws {
        try await StepWorld.run { world in
            let other = ImageDigest(of: Array("another image".utf8))
            let base = try #require(try await world.digest("base", tag: "1"))
            world.node.lie(isKnown ? base : other)
            let build = try await world.submit("team/base", .containerfile("FROM \(world.base)\nRUN touch /made\n"))
            let failure = try #require(try await world.step())
            #expect(failure.code == .digestMismatch)
            #expect(failure.isTransient)
            let tag = "image-linux-\(Platform.host.architecture)-\(StepWorld.day)"
            let shown = try #require(try await world.digest("team/base", tag: tag))
            let problem =
                "The node local says that it pushed \(isKnown ? base : other) as \(world.registry.host)/team/base:\(tag), but the registry has "
                + "\(shown) there. One of them lies."
            #expect(
                failure.message == "\(problem) The node is disabled until an operator has checked it. Another worker can do this step.")
            #expect(world.standing.problem == problem)
            let waiting = try await world.build(build.id)
            #expect(waiting.steps.first?.stateReason?.contains(problem) == true)
            #expect(waiting.state == .building)
            #expect(try await world.digest("team/base", tag: "latest") == nil)
            let file = world.directory.appending("disabled")
            let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            #expect(NodeStanding(file, logger: logger).problem == problem)
            try FileManager.default.removeItem(atPath: file.string)
            #expect(NodeStanding(file, logger: logger).problem == nil)
            world.node.lie(nil)
            #expect(try await world.finish(build).state == .done)
        }
    }

    @Test("a tag that another program has moved stays where it is")
    func tagMoved() async throws {
        try await StepWorld.run { world in
            let containerfile = "FROM \(world.base)\nRUN touch /made\n"
            _ = try await world.finish(world.submit(source: containerfile))
            let foreign = ManifestDocument(ImageIndex(manifests: [], annotations: ["by": "another"]))
            try await world.client.put(foreign, to: world.registry.repository("team/app"), tag: .latest)
            let second = try await world.submit(source: containerfile)
            #expect(second.dateTag.text == "\(StepWorld.day).2")
            #expect(try await world.step() == nil)
            let failure = try #require(try await world.step())
            #expect(failure.code == .tagMoved)
            #expect(try await world.digest("team/app", tag: "latest") == foreign.digest)
            #expect(try await world.digest("team/app", tag: second.dateTag.text) == nil)
        }
    }

    @Test("the sweeper removes contexts of ended attempts, images of ended steps and logs of old builds")
    func sweep() async throws {
        try await StepWorld.run { world in
            let build = try await world.submit(source: "FROM \(world.base)\nRUN touch /made\n")
            world.node.loseRegistry(pushes: 1)
            _ = try await world.step()
            let left = world.configuration.workDirectory.appending(UUID().uuidString.lowercased())
            try FileManager.default.createDirectory(atPath: left.string, withIntermediateDirectories: true)
            let sweeper = BuildSweeper(
                configuration: world.configuration, store: world.store, node: world.node.local, logger: Logger(label: "test"))
            try await sweeper.runOnce()
            #expect(!FileManager.default.fileExists(atPath: left.string))
            let name = try PlatformStep.name(of: build.steps[0].id, submitted: build.timeSubmitted)
            #expect(try await world.node.image(of: name) != nil)
            _ = try await world.finish(build)
            #expect(world.node.builds == 1)
            try await sweeper.runOnce()
            #expect(try await world.node.image(of: name) == nil)
            #expect(try world.log(of: build).isEmpty == false)
            _ = try await world.database.pool.query("UPDATE builds SET time_done = now() - interval '31 days'")
            try await sweeper.runOnce()
            #expect(throws: (any Error).self) { try world.log(of: build) }
        }
    }
}

extension BuildStepTests {
    @Test("the sweeper removes the rest if one thing cannot be removed", .enabled(if: geteuid() == 0, "Only root can mount a disk."))
    func sweepRest() async throws {
        try await StepWorld.run { world in
            let build = try await world.submit(source: "FROM \(world.base)\nRUN touch /made\n")
            _ = try await world.finish(build)
            _ = try await world.database.pool.query("UPDATE builds SET time_done = now() - interval '31 days'")
            let left = world.configuration.workDirectory.appending(UUID().uuidString.lowercased())
            try FileManager.default.createDirectory(atPath: left.string, withIntermediateDirectories: true)
            try #require(mount("tmpfs", left.string, "tmpfs", 0, "size=1m") == 0)
            defer { umount2(left.string, CInt(MNT_DETACH)) }
            let sweeper = BuildSweeper(
                configuration: world.configuration, store: world.store, node: world.node.local, logger: Logger(label: "test"))
            await #expect(throws: (any Error).self) { try await sweeper.runOnce() }
            #expect(throws: (any Error).self) { try world.log(of: build) }
            #expect(try await world.node.image(of: PlatformStep.name(of: build.steps[0].id, submitted: build.timeSubmitted)) == nil)
        }
    }
}

extension StepWorld {
    fileprivate func submit(source text: String, composes: [Int] = []) async throws -> Build {
        try await submit("team/app", .containerfile(text), composes: composes)
    }

    /// Uploads a context as the frontend does.
    fileprivate func upload(_ archive: [UInt8]) async throws -> ImageDigest {
        let repository = configuration.contexts
        let layer = Descriptor(of: archive, mediaType: .ociLayer)
        let empty = Descriptor(of: Array("{}".utf8), mediaType: .empty)
        try await client.upload(layer, to: repository, BytesContent(archive))
        try await client.upload(empty, to: repository, BytesContent(Array("{}".utf8)))
        let document = ManifestDocument(Manifest(configuration: empty, layers: [layer], artifactType: "application/vnd.odcs.context"))
        try await client.put(document, to: repository, tag: ImageTag("sha256-\(layer.digest.hex)"))
        return layer.digest
    }
}
