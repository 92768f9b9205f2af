import ComposeModel
import ContentSources
import Foundation
import Koji
import Modules
import Repodata
import ScriptedHub
import SystemPackage
import Testing

/// Where in Koji modules' documents and packages are.
@Suite("Modules pinned in Koji") struct KojiModulePinTests {
    private static let recorded = NSVC.of("testmodule:master:20180405123256:c2c572ec")
    private static let recordedTag = "module-testmodule-master-20180405123256-c2c572ec"

    private func module(_ id: String, tag: String? = nil, scratchID: Int? = nil) throws -> ModuleBuild {
        let metadata = try ModuleMetadata(yaml: ModuleWorld.document(.of(id)))
        return ModuleBuild(stream: try #require(metadata.streams.first), kojiTag: tag, scratchID: scratchID)
    }

    @Test("a module is pinned as its build and its tag, as of the hub's last event or the one that is given")
    func pinned() async throws {
        try await ModuleWorld.with { world in
            world.addTag(Self.recordedTag, id: 9)
            let build = try module(Self.recorded.description)
            let found = try await world.source.pin(modules: [build], event: nil)
            let expected = KojiPin.Module(id: Self.recorded.description, tag: Self.recordedTag, build: Self.recorded.kojiBuild)
            #expect(found.modules == [expected])
            #expect(found.event == 100)
            #expect(try await world.source.pin(modules: [build], event: 100).modules == [expected])
        }
    }

    @Test(
        "the tag that is known already counts, and a scratch build, of which Koji has no build, is pinned by it; modules are sorted, a few requests do"
    )
    func several() async throws {
        try await ModuleWorld.with { world in
            world.addTag("one", id: 90)
            world.addTag("two", id: 91)
            world.addBuild(.of("b:1-x:1:x"), id: 500, tag: "another")
            world.removeBuild("a-1-1.x")
            // A stream that Koji writes alike.
            world.addBuild(.of("c:1-x:1:x"), id: 501, tag: "another")
            world.scripted.forget()
            let found = try await world.source.pin(
                modules: [
                    try module("b:1-x:1:x", tag: "one"), try module("a:1:1:x", tag: "two", scratchID: 1),
                    try module("c:1_x:1:x", tag: "two", scratchID: 2),
                ], event: nil)
            #expect(
                found.modules == [
                    .init(id: "a:1:1:x", tag: "two", scratchID: 1), .init(id: "b:1-x:1:x", tag: "one", build: "b-1_x-1.x"),
                    .init(id: "c:1_x:1:x", tag: "two", scratchID: 2),
                ])
            #expect(world.scripted.calls.map(\.method) == ["getLastEvent", "multiCall", "multiCall", "multiCall"])
        }
    }

    @Test("modules whose builds or tags are not there, or not of use, are all named with the reason")
    func wrong() async throws {
        try await ModuleWorld.with { world in
            world.addTag("one", id: 90)
            world.addBuild(.of("deleted:1:1:x"), id: 500, tag: "one", state: 2)
            world.addBuild(.of("failed:1:1:x"), id: 501, tag: "one", state: 3)
            world.addBuild(.of("tagless:1:1:x"), id: 502, tag: "gone")
            world.removeBuild("nowhere-1-1.x")
            world.scripted.answer(
                XMLRPCCall("getTag", "gone", keywords: [.init("event", .int(ModuleWorld.event))]), with: .value(nil))
            let modules = try ["deleted:1:1:x", "failed:1:1:x", "tagless:1:1:x", "nowhere:1:1:x"].map { try module($0) }
            let failure = await #expect(throws: ComposeFailure.self) { try await world.source.pin(modules: modules, event: nil) }
            #expect(failure?.code == .sourceNotUsable)
            #expect(
                failure?.message
                    == "4 modules cannot be used: in Koji, deleted:1:1:x is the build deleted-1-1.x, which is deleted; "
                    + "failed:1:1:x is the build failed-1-1.x, which is failed; nowhere:1:1:x has no build nowhere-1-1.x; "
                    + "tagless:1:1:x has no tag gone at the event 100.")
            let later = await #expect(throws: ComposeFailure.self) { try await world.source.pin(modules: [], event: 101) }
            #expect(later?.message == "Koji has no event 101 yet: its last one is 100.")
        }
    }

    // MARK: Documents

    private func pin(_ modules: NSVC...) -> KojiPin {
        KojiPin(modules: modules.map { .init(id: "\($0)", tag: "module-content", build: $0.kojiBuild) }, modulesEvent: ModuleWorld.event)
    }

    @Test("the documents are those of each architecture's file", arguments: ModuleWorld.Files.allCases)
    func documents(files: ModuleWorld.Files) async throws {
        try await ModuleWorld.with(files) { world in
            let modules = try await world.source.modules(of: pin(Self.recorded), arches: ["x86_64", "aarch64"])
            #expect(modules.streams.map(\.id) == [Self.recorded, Self.recorded])
            #expect(modules.streams.map(\.arch) == ["aarch64", "x86_64"])
            let artifacts = modules.streams.map { $0.artifacts.map(\.description).sorted() }
            let release = "2.4-1.module_f26+12+abcdef12"
            #expect(artifacts[0] == ["modpkg-\(release).aarch64", "modpkg-\(release).src", "modpkg-debuginfo-\(release).aarch64"])
            #expect(artifacts[1] == ["modpkg-\(release).src", "modpkg-\(release).x86_64", "modpkg-debuginfo-\(release).x86_64"])
            #expect(world.scripted.unrecorded.isEmpty)
        }
    }

    @Test(
        "an architecture without a file of its own has the one for all, and without that what the hub has",
        arguments: ModuleWorld.Files.allCases)
    func others(files: ModuleWorld.Files) async throws {
        try await ModuleWorld.with(files) { world in
            let (one, two) = (NSVC.of("one:1:1:x"), NSVC.of("two-devel:a-b:1:x"))
            world.addBuild(one, id: 500)
            world.addBuild(two, id: 501)
            try world.write(ModuleWorld.document(one), as: "modulemd.i686.txt", of: one)
            try world.write(ModuleWorld.document(one, arch: "x86_64", filters: ["all"]), as: "modulemd.txt", of: one)
            let modules = try await world.source.modules(of: pin(one, two), arches: ["i386", "s390x"])
            #expect(modules.streams.map(\.id) == [one, one, two, two])
            #expect(modules.streams.map(\.arch) == ["i686", "s390x", "i686", "s390x"])
            #expect(modules.streams.map(\.filters) == [[], ["all"], [], []])
            #expect(modules.streams.allSatisfy { $0.document.contains("arch: \($0.arch ?? "none")\n") })
        }
    }

    @Test("a build's files are read from its volume")
    func volume() async throws {
        try await ModuleWorld.with { world in
            let module = NSVC.of("one:1:1:x")
            world.addBuild(module, id: 500, volume: "vol2")
            try world.write(ModuleWorld.document(module, filters: ["here"]), as: "modulemd.x86_64.txt", of: module, volume: "vol2")
            try world.write("{", as: "modulemd.x86_64.txt", of: module)
            #expect(try await world.source.modules(of: pin(module), arches: ["x86_64"]).streams.first?.filters == ["here"])
        }
    }

    @Test("a document of the first modules, which has no context, is that of the pinned one")
    func withoutContext() async throws {
        try await ModuleWorld.with { world in
            let module = NSVC.of("one:1:1:00000000")
            world.addBuild(module, id: 500)
            let old = """
                document: modulemd
                version: 1
                data:
                  name: one
                  stream: "1"
                  version: 1
                  summary: A module
                  description: A module of 2017.
                  license:
                    module: [MIT]
                  artifacts:
                    rpms:
                    - a-1-1.x86_64

                """
            try world.write(old, as: "modulemd.x86_64.txt", of: module)
            let stream = try #require(try await world.source.modules(of: pin(module), arches: ["x86_64"]).streams.first)
            #expect(stream.id == module)
            #expect(stream.document.contains("context: \"00000000\"\n") || stream.document.contains("context: 00000000\n"))
            #expect(stream.artifacts.map(\.description) == ["a-1-1.x86_64"])
        }
    }

    @Test("modules without a build in Koji have the documents that are given, scratch builds too")
    func given() async throws {
        try await ModuleWorld.with { world in
            let pin = KojiPin(
                modules: [.init(id: "one:1:1:x", tag: "t", scratchID: 7), .init(id: "two:1:1:x", tag: "t")],
                modulesEvent: ModuleWorld.event)
            let documents = try ["one:1:1:x", "two:1:1:x"].map { ($0, try ModuleMetadata(yaml: ModuleWorld.document(.of($0)))) }
            var given = Dictionary(uniqueKeysWithValues: documents)
            let modules = try await world.source.modules(of: pin, arches: ["x86_64", "s390x"], documents: given)
            #expect(
                modules.streams.map { "\($0.id) \($0.arch ?? "")" } == [
                    "one:1:1:x s390x", "one:1:1:x x86_64", "two:1:1:x s390x", "two:1:1:x x86_64",
                ])
            given["one:1:1:x"] = given["two:1:1:x"]
            let other = await failure(world, pin, given)
            #expect(
                other?.message
                    == "The document modulemd of the module one:1:1:x (the scratch build 7) cannot be used: it describes the module two:1:1:x."
            )
            given = [:]
            let without = await failure(world, pin, given)
            #expect(
                without?.message
                    == "2 modules cannot be used: in Koji, one:1:1:x has no build and no document of its own; two:1:1:x has no build and no document of its own."
            )
            #expect(try await world.source.modules(of: KojiPin(), arches: ["x86_64"]).isEmpty)
        }
    }

    // MARK: Bad input

    private func failure(_ world: ModuleWorld, _ pin: KojiPin, _ documents: [String: ModuleMetadata] = [:]) async -> ComposeFailure? {
        await #expect(throws: ComposeFailure.self) {
            try await world.source.modules(of: pin, arches: ["x86_64"], documents: documents)
        }
    }

    @Test(
        "a document that is broken, of another module or of several is told with module, build and file",
        arguments: ModuleWorld.Files.allCases)
    func broken(files: ModuleWorld.Files) async throws {
        let module = NSVC.of("one:1-x:1:x")
        let reasons = [
            ("document: modulemd\nversion: 2\ndata: [\n", "unexpected YAML event in document stream [line 1 col 1]"),
            (ModuleWorld.document(.of("one:1_x:1:x")), "it describes the module one:1_x:1:x"),
            (ModuleWorld.document(module) + ModuleWorld.document(.of("two:1:1:x")), "it describes 2 modules instead of one"),
            ("", "it describes 0 modules instead of one"),
            (ModuleWorld.document(module) + "\0", "it contains a null character, which YAML does not allow"),
        ]
        try await ModuleWorld.with(files) { world in
            world.addBuild(module, id: 500)
            for (text, reason) in reasons {
                try world.write(text, as: "modulemd.x86_64.txt", of: module)
                let failure = await failure(world, pin(module))
                #expect(failure?.code == .metadataCorrupt)
                #expect(
                    failure?.message
                        == "The document modulemd.x86_64.txt of the module one:1-x:1:x (the build one-1_x-1.x in Koji) cannot be used: \(reason)."
                )
            }
        }
    }

    @Test("a build that was deleted since is named")
    func deleted() async throws {
        try await ModuleWorld.with { world in
            world.addBuild(.of("one:1:1:x"), id: 500, state: 2)
            world.removeBuild("two-1-1.x")
            #expect(
                await failure(world, pin(.of("one:1:1:x"), .of("two:1:1:x")))
                    == ComposeFailure(
                        .sourceNotUsable,
                        "2 modules cannot be used: in Koji, one:1:1:x is the build one-1-1.x, which is deleted; two:1:1:x has no build two-1-1.x.",
                        details: [
                            .init(text: "one:1:1:x is the build one-1-1.x, which is deleted"),
                            .init(text: "two:1:1:x has no build two-1-1.x"),
                        ]
                    ))
        }
    }

    @Test("a document that leads out of Koji's tree is not read, and a server that is down is worth another attempt")
    func unreadable() async throws {
        let module = NSVC.of("one:1:1:x")
        let subject = "The document modulemd.x86_64.txt of the module one:1:1:x (the build one-1-1.x in Koji)"
        try await ModuleWorld.with { world in
            world.addBuild(module, id: 500)
            try world.write("", as: "modulemd.txt", of: module)
            let place = world.topdir.appending("packages/one/1/1.x/files/module/modulemd.x86_64.txt")
            try FileManager.default.createSymbolicLink(atPath: place.string, withDestinationPath: "/etc/passwd")
            #expect(
                await failure(world, pin(module))?.message
                    == "\(subject) cannot be used: its path leads out of the directories that this service may read.")
        }
        try await ModuleWorld.with(.topurl) { world in
            world.addBuild(module, id: 500)
            world.scripted.behaveForFiles { _ in .status(503) }
            let failure = await failure(world, pin(module))
            #expect(failure?.isTransient == true)
            #expect(
                failure?.message.replacing(world.scripted.topurl.dropLast("/topdir".count), with: "HUB")
                    == "\(subject) could not be read: HUB answered with the status 503 (Service Unavailable).")
        }
    }
}
