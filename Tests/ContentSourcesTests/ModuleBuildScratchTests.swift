import ComposeModel
import Modules
import Repodata
import Testing

@testable import ContentSources

@Suite("Scratch builds of the Module Build Service")
struct ModuleBuildScratchTests {
    private static func replay() throws -> ModuleBuildReplay {
        ModuleBuildReplay(
            hasRecorded: false,
            additional: [
                try ModuleBuildReplay.build(
                    "m:1:4:a_1", number: 1, state: 3, isScratch: true, document: ModuleBuildReplay.document("m:1:4:a")),
                try ModuleBuildReplay.build("m:1:4:a", number: 2),
                try ModuleBuildReplay.build("m:1:5:a_1", number: 3, state: 4, isScratch: true, reason: "It broke"),
                try ModuleBuildReplay.build("n:1:1:a_1", number: 4, state: 2, isScratch: true),
            ],
            finalDocuments: [
                1: [
                    "x86_64": ModuleBuildReplay.document("m:1:4:a"), "aarch64": ModuleBuildReplay.document("m:1:4:a", arch: "aarch64"),
                ]
            ])
    }

    @Test("are had when they are done, with their tag and the documents of each architecture")
    func found() async throws {
        try await ModuleBuildBench.with(try Self.replay()) { (service, _) async throws in
            for asked in ["m:1:4:a_1", "m:1:4", "m:1"] {
                let builds = try await service.scratchBuilds(of: try #require(ModuleReference(asked)))
                #expect(builds.map(\.id.description) == ["m:1:4:a_1"])
                #expect(builds.map(\.scratchID) == [1])
                #expect(builds.map(\.kojiTag) == ["module-m-1-4-a_1"])
            }
            let build = try #require(try await service.scratchBuilds(of: ModuleReference(name: "m", stream: "1")).first)
            let documents = try await service.finalDocuments(ofScratchBuild: 1, build.id)
            #expect(documents.streams.map(\.id.description) == ["m:1:4:a_1", "m:1:4:a_1"])
            #expect(documents.streams.map(\.arch) == ["aarch64", "x86_64"])
            #expect(documents.streams.map { $0.artifacts.map(\.arch) } == [["aarch64"], ["x86_64"]])
        }
    }

    @Test("are no modules that a compose takes by itself")
    func apart() async throws {
        try await ModuleBuildBench.with(try Self.replay()) { (service, server) async throws in
            var filter = ModuleBuildFilter()
            filter.includesDone = true
            #expect(try await service.ids("m:1", filter: filter) == ["m:1:4:a"])
            let failure = try await ModuleBuildBench.failure {
                _ = try await ModuleChoice(of: [try #require(ModuleReference("m:1:4:a_1"))], from: service)
            }
            #expect(
                failure?.message
                    == "There is no module m:1:4:a_1 that could be taken. The module m:1:4:a_1 in the Module Build Service at \(server.address) is a "
                    + "scratch build; a compose takes those that it names as scratch_modules.")
        }
    }

    @Test(
        "that are not there are explained",
        arguments: [
            ("m:1:5", " m:1:5:a_1 is in the state failed (\"It broke\"); only those that are done are taken."),
            ("n:1", " n:1:1:a_1 is in the state build; only those that are done are taken."),
            ("m:1:4:a", " m:1:4:a is none: it can be asked for as any other module."), ("x:1", ""),
        ])
    func absent(asked: String, why: String) async throws {
        try await ModuleBuildBench.with(try Self.replay()) { (service, server) async throws in
            let failure = try await ModuleBuildBench.failure {
                _ = try await service.scratchBuilds(of: try #require(ModuleReference(asked)))
            }
            #expect(failure?.code == .packageNotFound)
            #expect(
                failure?.message
                    == "There is no scratch build of the module \(asked) in the Module Build Service at \(server.address).\(why)")
        }
    }

    @Test("whose documents are gone")
    func gone() async throws {
        var replay = try Self.replay()
        replay.finalDocuments = [:]
        try await ModuleBuildBench.with(replay) { (service, server) async throws in
            let build = try #require(try await service.scratchBuilds(of: ModuleReference(name: "m", stream: "1")).first)
            let failure = try await ModuleBuildBench.failure { _ = try await service.finalDocuments(ofScratchBuild: 1, build.id) }
            #expect(
                failure
                    == ComposeFailure(
                        .sourceNotUsable,
                        "The Module Build Service at \(server.address) does not understand the request (status 400): \"The module could not be "
                            + "found\". Either a name in the request is none that it can have, or it is another version of the Module Build Service than "
                            + "this service knows."))
        }
    }
}
