import ComposeStore
import Foundation
import ImageModel
import ImageTestKit
import Registry
import SystemPackage
import Testing

@testable import ImageWorker

@Suite("Contexts that come from git", .serialized, .timeLimit(.minutes(5)))
struct GitContextTests {
    @Test("an image is built from a folder of a repository, and names the commit")
    func folder() async throws {
        try await StepWorld.run { world in
            let repository = try await GitFolder(world.directory.appending("web"))
            let commit = try await repository.commit([
                "image/Containerfile": "FROM scratch\nCOPY . /\n", "image/data": "text\n", "other": "not in the context\n",
            ])
            let build = try await world.submit("team/app", .git(url: repository.url, reference: "main", folder: "image"))
            let done = try await world.finish(build)
            #expect(done.state == .done)
            #expect(done.pins?.commit == commit)
            let pushed = try #require(done.steps.first?.digest)
            let names = try await world.layers(of: "team/app", pushed).joined().compactMap { $0.split(separator: " ").last }
            #expect(names.contains("data"))
            #expect(!names.contains { $0.contains("other") || $0.contains(".git") })
            let repositoryName = try world.registry.repository("team/app")
            let manifest = try await world.client.manifest(ImageReference(repositoryName, digest: pushed))
            guard case .manifest(let image) = manifest.content else { throw StepWorld.TestError("There is no manifest.") }
            let labels = try ImageConfiguration(try await world.client.blob(image.configuration, of: repositoryName)).labels
            #expect(labels["org.opencontainers.image.revision"] == commit)
            #expect(labels["org.opencontainers.image.source"] == repository.url)
        }
    }

    @Test("a step that is done again uses the commit of the first attempt, whatever the branch shows then")
    func pinned() async throws {
        try await StepWorld.run { world in
            let repository = try await GitFolder(world.directory.appending("web"))
            let first = try await repository.commit(["Containerfile": "FROM scratch\nCOPY . /\n"])
            let build = try await world.submit("team/app", .git(url: repository.url, reference: "main", folder: ""))
            world.node.loseRegistry(pushes: 1)
            #expect(try await world.step()?.code == .registryUnreachable)
            _ = try await repository.commit(["Containerfile": "FROM nowhere.example/never\n"])
            #expect(try await world.finish(build).state == .done)
            #expect(try await world.build(build.id).pins?.commit == first)
        }
    }

    @Test("a branch or folder that does not exist ends the build at the first attempt, with a sentence")
    func absent() async throws {
        try await StepWorld.run { world in
            let repository = try await GitFolder(world.directory.appending("web"))
            _ = try await repository.commit(["Containerfile": "FROM scratch\n", "empty/file": ""])
            for (reference, folder, sentence) in [
                ("devel", "", "devel"), ("main", "image", "The context has no folder image."),
                ("main", "empty", "There is neither a Containerfile nor a Dockerfile in the folder empty of the context."),
            ] {
                _ = try await world.submit(
                    "team/\(reference)\(folder)", .git(url: repository.url, reference: reference, folder: folder))
                let failure = try #require(try await world.step())
                #expect(!failure.isTransient)
                #expect(failure.message.contains(sentence), "\(failure.message)")
                #expect(!failure.message.contains(world.configuration.workDirectory.string))
            }
        }
    }

    @Test("an address that git may not fetch from ends the build at the first attempt, with a sentence")
    func otherProtocol() async throws {
        try await StepWorld.run { world in
            _ = try await world.submit("team/app", .git(url: "http://127.0.0.1/web.git", reference: "main", folder: ""))
            let failure = try #require(try await world.step())
            #expect(!failure.isTransient)
            #expect(failure.message == #"The context "http://127.0.0.1/web.git" is not fetched. Its address must begin with https://."#)
        }
    }
}
