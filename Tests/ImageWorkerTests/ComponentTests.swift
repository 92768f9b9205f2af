import BuildNodes
import ComposeStore
import ComposeWorker
import Foundation
import ImageModel
import ImageTestKit
import Registry
import Subprocess
import SystemPackage
import Testing

@testable import ImageWorker

/// Builds of components with a real node and a real registry.
@Suite("Components", .serialized, .timeLimit(.minutes(5)))
struct ComponentTests {
    private static func definition(
        _ source: ImageDefinition.Source, component: String = "asyn", tag: String = "R1", environment: String = "small"
    ) throws -> ImageDefinition {
        let artifact = try Artifact(.component, component: component, version: tag, environment: environment)
        var definition = ImageDefinition(source: source, platforms: [.host])
        definition.artifact = artifact
        definition.movesLatest = false
        definition.tags = [artifact.movingTag]
        return definition
    }

    private static func submit(_ definition: ImageDefinition, in world: StepWorld) async throws -> Build {
        let settings = try #require(world.configuration.artifacts)
        let artifact = try #require(definition.artifact)
        guard
            case .added(let image) = try await world.store.addImage(
                settings.repository(of: artifact), as: definition, by: StepWorld.owner)
        else { throw StepWorld.TestError("The component was there before.") }
        return try await world.store.submitBuild(
            of: image.id, BuildRequest(definition), owner: "me", dateTag: ImageTag(StepWorld.day), joining: true)
    }

    private static func submit(
        _ repository: GitFolder, component: String = "asyn", tag: String = "R1", in world: StepWorld
    ) async throws -> Build {
        try await submit(definition(.git(url: repository.url, reference: tag, folder: ""), component: component, tag: tag), in: world)
    }

    /// The names in the archive of a component.
    private static func archive(of build: Build, _ name: String, in world: StepWorld) async throws -> Set<String> {
        let digest = try #require(build.steps.first?.digest)
        let layers = try await world.layers(of: name, digest)
        #expect(layers.count == 1)
        return Set(layers.joined().compactMap { $0.split(separator: " ").last.map(String.init) })
    }

    @Test("a component is built by its own instructions, has one layer with its artifacts, and is a dependency of another one")
    func chain() async throws {
        try await StepWorld.run { world in
            let base = try await GitFolder(world.directory.appending("base-component"))
            let commit = try await base.commit(
                [
                    "config.yaml": "build: mkdir bin; cat source.txt source.txt > bin/twice\nartifacts: [bin, doc/readme]\n",
                    "source.txt": "one\n", "doc/readme": "text\n", "doc/other": "", ".dockerignore": "*\n",
                ], tag: "R7.0")
            let first = try await Self.submit(base, component: "base", tag: "R7.0", in: world)
            #expect(first.dateTag.text == "small-R7.0-\(StepWorld.day)-\(first.id)")
            let done = try await world.finish(first)
            #expect(done.state == .done, "\(done.stateReason ?? "")")
            #expect(done.pins?.commit == commit)
            #expect(try await Self.archive(of: done, "team/base-component", in: world) == ["bin/", "bin/twice", "doc/", "doc/readme"])
            #expect(try await world.digest("team/base-component", tag: "small-R7.0") == done.digest)

            let asyn = try await GitFolder(world.directory.appending("asyn"))
            _ = try await asyn.commit(
                ["component.yaml": "build: cat /dependencies/base/bin/twice > out\nartifacts: out\ndependencies: {base: R7.0}\n"], tag: "R1"
            )
            let second = try await world.finish(try await Self.submit(asyn, in: world))
            #expect(second.state == .done, "\(second.stateReason ?? "")")
            #expect(try await Self.archive(of: second, "team/asyn-component", in: world) == ["out"])
            let pins = try #require(second.pins?.images)
            #expect(pins["\(world.registry.host)/team/base-component:small-R7.0"] == done.digest)
            #expect(try world.log(of: second).contains("COPY --from=\(world.registry.host)/team/base-component:small-R7.0"))
        }
    }

    @Test("an archive that was uploaded becomes the layer of a component")
    func uploaded() async throws {
        try await StepWorld.run { world in
            let archive = SmallImage.tar("lib.txt", Array("text\n".utf8))
            let digest = ImageDigest(of: archive)
            let descriptor = Descriptor(of: archive, mediaType: ContextArtifact.archive)
            let configuration = Descriptor(of: ContextArtifact.emptyConfiguration, mediaType: .empty)
            let contexts = world.configuration.contexts
            try await world.client.upload(configuration, to: contexts, BytesContent(ContextArtifact.emptyConfiguration))
            try await world.client.upload(descriptor, to: contexts, BytesContent(archive))
            try await world.client.put(
                ManifestDocument(ContextArtifact.manifest(archive: descriptor, configuration: configuration)), to: contexts,
                tag: ContextArtifact.tag(of: digest))
            let done = try await world.finish(try await Self.submit(Self.definition(.archive(digest)), in: world))
            #expect(done.state == .done, "\(done.stateReason ?? "")")
            #expect(try await Self.archive(of: done, "team/asyn-component", in: world) == ["lib.txt"])
        }
    }

    @Test("instructions that cannot be used end the build at the first attempt, with a sentence")
    func mistakes() async throws {
        try await StepWorld.run { world in
            let cases: [([String: String], String)] = [
                (
                    ["README": "x"],
                    "component.yaml: the repository has neither component.yaml nor config.yaml at its top, so nothing says how it is built."
                ),
                (
                    ["component.yaml": "build: cat\nenvironments: [rhel7]\n"],
                    "component.yaml: the component is for rhel7, and not for small."
                ),
                (
                    ["config.yaml": "build: cat\ndependencies:\n- nothing: R1\n"],
                    "config.yaml, line 3: the dependency nothing with the tag R1 is not built for small. Ask for it with POST /component first."
                ),
            ]
            let absent = try Self.definition(
                .git(url: "file://\(world.directory)/absent", reference: "R1", folder: ""), component: "absent")
            _ = try await Self.submit(absent, in: world)
            let notThere = try #require(try await world.step())
            #expect(!notThere.isTransient)
            #expect(
                notThere.message
                    == "The component file://\(world.directory)/absent cannot be fetched: there is no git repository, or it needs a login."
            )
            for (number, (files, sentence)) in cases.enumerated() {
                let repository = try await GitFolder(world.directory.appending("case\(number)"))
                _ = try await repository.commit(files, tag: "R1")
                _ = try await Self.submit(repository, component: "case\(number)", in: world)
                let failure = try #require(try await world.step())
                #expect(!failure.isTransient)
                #expect(failure.message == "The instructions of the component cannot be used. \(sentence)")
            }
            #expect(world.node.builds == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: world.configuration.workDirectory.string) == [])
        }
    }

    @Test("an archive with a link that leads out of it is refused, and no tag shows it")
    func links() async throws {
        try await StepWorld.run { world in
            let repository = try await GitFolder(world.directory.appending("asyn"))
            try FileManager.default.createSymbolicLink(
                atPath: repository.path.appending("evil").string, withDestinationPath: "../../etc/passwd")
            _ = try await repository.commit(["component.yaml": "artifacts: [.]\n"], tag: "R1")
            _ = try await Self.submit(repository, in: world)
            let failure = try #require(try await world.step())
            #expect(failure.code == .unexpectedContents && !failure.isTransient)
            #expect(
                failure.message
                    == #"The archive of the component has the entry "evil", which is a symbolic link that leads out of the archive."#)
            #expect(try await world.digest("team/asyn-component", tag: "small-R1") == nil)
        }
    }

    @Test("a build that never ends is ended at the time limit, and leaves no process and no file")
    func endless() async throws {
        try await StepWorld.run { world in
            let mark = ProcessMark()
            let repository = try await GitFolder(world.directory.appending("asyn"))
            _ = try await repository.commit(["component.yaml": "build: sleep \(mark.duration)\n"], tag: "R1")
            var configuration = world.configuration
            configuration.limits.time = .seconds(5)
            let build = try await Self.submit(repository, in: world)
            let lease = try #require(
                try await world.store.claimStep(by: "w", offering: StepOffer(platforms: [.host]), for: .seconds(600)))
            let runner = BuildStepRunner(
                configuration: configuration, store: world.store, node: world.node, standing: world.standing, registry: world.client,
                reader: world.reader)
            let failure = await #expect(throws: BuildFailure.self) {
                let inputs = try #require(try await world.store.stepInputs(of: build.id))
                return try await runner.run(lease, inputs, until: .init(length: .seconds(600)))
            }
            #expect(failure?.code == .limitExceeded)
            #expect(failure?.message.hasPrefix("The build exceeded its time limit of 5 seconds in ") == true, "\(failure?.message ?? "")")
            #expect(try await mark.awaitEnd())
            #expect(try FileManager.default.contentsOfDirectory(atPath: world.configuration.workDirectory.string) == [])
        }
    }
}
