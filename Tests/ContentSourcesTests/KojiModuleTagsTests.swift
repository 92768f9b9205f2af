import ComposeModel
import ContentSources
import Koji
import Modules
import ScriptedHub
import Testing

/// Modules of Koji tags, from the recorded hub and from tags made up for a test.
@Suite("Modules in Koji tags") struct KojiModuleTagsTests {
    private static let event = XMLRPCCall.Keyword("event", .int(ModuleWorld.event))

    /// The recorded tags: f26-modular-updates inherits from f26-modular, and both have builds of testmodule:master.
    private func recorded(_ body: (ModuleWorld, KojiModuleTags) async throws -> Void) async throws {
        try await ModuleWorld.with { world in
            let tag: XMLRPCValue = "f26-modular-updates"
            world.addTag("f26-modular-updates", id: 8)
            world.scripted.answer(
                XMLRPCCall("getFullInheritance", tag, keywords: [Self.event]),
                with: .body(Recordings.response("getFullInheritance_f26-modular-updates")))
            world.scripted.answer(
                XMLRPCCall("listTagged", tag, keywords: [Self.event, .init("inherit", true), .init("type", "module")]),
                with: .body(Recordings.response("listTagged_module")))
            for (id, module) in [
                (22, "testmodule:master:20180405123256:ffffffff"), (23, "testmodule:master:20180505000000:c2c572ec"),
                (24, "testmodule:next-gen:20180501000000:c2c572ec"), (25, "depmodule:1.0:20180401000000:9c690d0e"),
            ] { world.addBuild(.of(module), id: id) }
            try await body(world, world.source.modules(inTags: ["f26-modular-updates"], event: ModuleWorld.event))
            #expect(world.scripted.unrecorded.isEmpty)
        }
    }

    private func ids(_ builds: [ModuleBuild]) -> [String] { builds.map(\.id.description).sorted() }

    private func expect(
        newestOf tags: KojiModuleTags, _ expected: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let found = try await tags.newestBuilds()
        #expect(ids(found) == expected, sourceLocation: sourceLocation)
    }

    private func expect(
        _ tags: KojiModuleTags, _ reference: String, means expected: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let found = try await tags.builds(of: try #require(ModuleReference(reference)), filter: ModuleBuildFilter())
        #expect(ids(found) == expected, sourceLocation: sourceLocation)
    }

    @Test("of a stream only the builds of the topmost tag count, also where a parent has more contexts")
    func inheritance() async throws {
        try await recorded { _, tags in
            try await expect(tags, "testmodule:master", means: ["testmodule:master:20180505000000:c2c572ec"])
            try await expect(tags, "depmodule:1.0", means: ["depmodule:1.0:20180401000000:9c690d0e"])
            try await expect(tags, "testmodule:none", means: [])
            try await expect(tags, "nomodule:1", means: [])
            #expect(try await tags.modules() == ["depmodule", "testmodule"])
        }
    }

    @Test("a stream has its dashes, which Koji writes as underscores, from the build's own data")
    func dashes() async throws {
        try await recorded { _, tags in
            #expect(try await tags.streams(of: "testmodule", filter: ModuleBuildFilter()) == ["master", "next-gen"])
            try await expect(tags, "testmodule:next-gen", means: ["testmodule:next-gen:20180501000000:c2c572ec"])
            try await expect(tags, "testmodule:next_gen", means: [])
        }
    }

    @Test("all modules of a tag are the newest of each stream, and the tag is listed once, their builds asked for with one request")
    func all() async throws {
        try await recorded { world, tags in
            let expected = [
                "depmodule:1.0:20180401000000:9c690d0e", "testmodule:master:20180505000000:c2c572ec",
                "testmodule:next-gen:20180501000000:c2c572ec",
            ]
            try await expect(newestOf: tags, expected)
            try await expect(newestOf: tags, expected)
            #expect(world.scripted.calls.map(\.method) == ["getLastEvent", "multiCall", "getFullInheritance", "listTagged", "multiCall"])
        }
    }

    @Test("the tag with its packages and what a module requires come from the build")
    func described() async throws {
        try await recorded { world, tags in
            let modulemd = try XMLRPCValue(parsing: Recordings.response("getBuildType_module"))["module"]?["modulemd_str"]?.string
            let module = NSVC.of("testmodule:master:20180405123256:c2c572ec")
            world.addBuild(module, id: 21, tag: "module-testmodule-master-20180405123256-c2c572ec", modulemd: modulemd)
            let found = try await tags.builds(
                of: ModuleReference(name: "testmodule", stream: "master", version: module.version, context: module.context),
                filter: ModuleBuildFilter())
            #expect(found.map(\.id) == [module])
            #expect(found.first?.kojiTag == "module-testmodule-master-20180405123256-c2c572ec")
            #expect(found.first?.stream.requiredModules == ["platform"])
            #expect(found.first?.stream.artifacts.count == 7)
        }
    }

    @Test("a version is a number, and all contexts of the newest one are meant")
    func versions() async throws {
        try await ModuleWorld.with { world in
            let modules: [NSVC] = ["m:1:9:aaaaaaaa", "m:1:10:aaaaaaaa", "m:1:10:bbbbbbbb", "m:1:2:cccccccc"].map { .of($0) }
            for (id, module) in modules.enumerated() { world.addBuild(module, id: 500 + id) }
            world.addTag("modular", id: 70, modules: modules.enumerated().map { ($1, 500 + $0, 70) })
            let tags = KojiModuleTags(hub: world.hub, tags: ["modular"], event: ModuleWorld.event)
            try await expect(tags, "m:1", means: ["m:1:10:aaaaaaaa", "m:1:10:bbbbbbbb"])
            try await expect(tags, "m:1:9", means: ["m:1:9:aaaaaaaa"])
            try await expect(tags, "m:1:10:bbbbbbbb", means: ["m:1:10:bbbbbbbb"])
            try await expect(newestOf: tags, ["m:1:10:aaaaaaaa", "m:1:10:bbbbbbbb"])
        }
    }

    @Test("two streams that Koji writes alike are two, each with its newest version")
    func alike() async throws {
        try await ModuleWorld.with { world in
            let modules: [NSVC] = ["m:a-b:1:x", "m:a_b:2:x", "m:a-b:3:x", "m:a_b:1:x"].map { .of($0) }
            for (id, module) in modules.enumerated() { world.addBuild(module, id: 500 + id) }
            world.addTag("modular", id: 70, modules: modules.enumerated().map { ($1, 500 + $0, 70) })
            let tags = KojiModuleTags(hub: world.hub, tags: ["modular"], event: ModuleWorld.event)
            try await expect(tags, "m:a_b", means: ["m:a_b:2:x"])
            try await expect(newestOf: tags, ["m:a-b:3:x", "m:a_b:2:x"])
        }
    }

    @Test("a stream in an earlier tag hides it in later ones, and of one tag the first in its inheritance that has it counts")
    func order() async throws {
        try await ModuleWorld.with { world in
            let (old, new, other, grand): (NSVC, NSVC, NSVC, NSVC) = (.of("m:1:1:x"), .of("m:1:2:x"), .of("m:2:1:x"), .of("m:2:9:x"))
            for (id, module) in [old, new, other, grand].enumerated() { world.addBuild(module, id: 500 + id) }
            world.addTag("first", id: 70, modules: [(old, 500, 70)])
            world.addTag(
                "second", id: 71, parents: [72, 73], modules: [(new, 501, 71), (grand, 503, 73), (other, 502, 72), (other, 502, 73)])
            let tags = KojiModuleTags(hub: world.hub, tags: ["first", "second"], event: ModuleWorld.event)
            try await expect(newestOf: tags, ["m:1:1:x", "m:2:1:x"])
            let reversed = KojiModuleTags(hub: world.hub, tags: ["second", "first"], event: ModuleWorld.event)
            try await expect(newestOf: reversed, ["m:1:2:x", "m:2:1:x"])
        }
    }

    @Test("what is named exactly and is in no tag is looked up among all builds; those that are deleted or incomplete are none")
    func anywhere() async throws {
        try await ModuleWorld.with { world in
            let modules: [NSVC] = ["m:1-x:5:aaaaaaaa", "m:1-x:5:bbbbbbbb", "m:1-x:5:cccccccc", "m:1-x:5:dddddddd"].map { .of($0) }
            for (number, (module, state)) in zip(modules, [1, 1, 2, 0]).enumerated() {
                world.addBuild(module, id: 500 + number, state: state)
            }
            world.addTag("modular", id: 70, modules: [])
            world.scripted.answer(
                XMLRPCCall("search", "m-1_x-5.*", "build", "glob"),
                with: .value(.array(modules.enumerated().map { ["id": .int(500 + $0), "name": .string($1.kojiBuild)] })))
            world.scripted.answer(XMLRPCCall("search", "m-1_x-6.*", "build", "glob"), with: .value([]))
            world.removeBuild("m-1_x-7.aaaaaaaa")
            let tags = KojiModuleTags(hub: world.hub, tags: ["modular"], event: ModuleWorld.event)
            try await expect(tags, "m:1-x:5", means: ["m:1-x:5:aaaaaaaa", "m:1-x:5:bbbbbbbb"])
            try await expect(tags, "m:1-x:5:bbbbbbbb", means: ["m:1-x:5:bbbbbbbb"])
            try await expect(tags, "m:1-x:5:cccccccc", means: [])
            try await expect(tags, "m:1_x:5:bbbbbbbb", means: [])
            try await expect(tags, "m:1-x:6", means: [])
            try await expect(tags, "m:1-x:7:aaaaaaaa", means: [])
            try await expect(tags, "m:1-x", means: [])
        }
    }

    // MARK: Bad input

    private func failure(_ tags: KojiModuleTags, _ reference: ModuleReference = .init(name: "m", stream: "1")) async -> ComposeFailure? {
        await #expect(throws: ComposeFailure.self) { try await tags.builds(of: reference, filter: ModuleBuildFilter()) }
    }

    @Test("a tag that is not there is told with what comes nearest, one that was not there at the event as such")
    func unknownTag() async throws {
        try await ModuleWorld.with { world in
            let event = XMLRPCCall.Keyword("event", .int(ModuleWorld.event))
            world.scripted.answer(XMLRPCCall("getTag", "f26-modulra"), with: .value(nil))
            world.scripted.answer(XMLRPCCall("getTag", "f26-modulra", keywords: [event]), with: .value(nil))
            world.scripted.answer(
                XMLRPCCall("search", "f26-m*", "tag", "glob"),
                with: .value([["id": 8, "name": "f26-modular-updates"], ["id": 7, "name": "f26-modular"]]))
            let unknown = await failure(KojiModuleTags(hub: world.hub, tags: ["f26-modulra"], event: ModuleWorld.event))
            #expect(
                unknown
                    == ComposeFailure(
                        .sourceNotUsable,
                        "Koji has no tag called f26-modulra; nearest: f26-modular, f26-modular-updates. "
                            + "One that was deleted can be had as of an event (koji_event) at which it was there."))
            world.scripted.answer(XMLRPCCall("getTag", "new", keywords: [event]), with: .value(nil))
            world.scripted.answer(XMLRPCCall("getTag", "new"), with: .value(["id": 90, "name": "new", "arches": "", "locked": false]))
            let later = await failure(KojiModuleTags(hub: world.hub, tags: ["new"], event: ModuleWorld.event))
            #expect(later?.message == "At the event 100, Koji had no tag called new.")
        }
    }

    @Test("a description that is broken, or of another module, is told with module and build, and only where it counts")
    func broken() async throws {
        try await ModuleWorld.with { world in
            let module = NSVC.of("m:1:2:x")
            world.addBuild(.of("m:1:1:x"), id: 501, modulemd: "{")
            world.addBuild(module, id: 502)
            world.addTag("modular", id: 70, modules: [(.of("m:1:1:x"), 501, 70), (module, 502, 70)])
            let tags = KojiModuleTags(hub: world.hub, tags: ["modular"], event: ModuleWorld.event)
            try await expect(tags, "m:1", means: ["m:1:2:x"])
            world.addBuild(module, id: 502, modulemd: "document: modulemd\nversion: 2\ndata: [\n")
            let first = await failure(KojiModuleTags(hub: world.hub, tags: ["modular"], event: ModuleWorld.event))
            #expect(first?.code == .metadataCorrupt)
            #expect(
                first?.message
                    == "The document modulemd_str of the module m:1:2:x (the build m-1-2.x in Koji) cannot be used: "
                    + "unexpected YAML event in document stream [line 1 col 1].")
            world.addBuild(module, id: 502, modulemd: ModuleWorld.document(.of("m:1:3:x")))
            let second = await failure(KojiModuleTags(hub: world.hub, tags: ["modular"], event: ModuleWorld.event))
            #expect(
                second?.message
                    == "The document modulemd_str of the module m:1:2:x (the build m-1-2.x in Koji) cannot be used: it describes the module m:1:3:x."
            )
        }
    }

    @Test("a hub that does not answer is worth another attempt")
    func unreachable() async throws {
        try await ModuleWorld.with { world in
            world.scripted.behave { _, _ in .status(503) }
            let failure = await failure(KojiModuleTags(hub: world.hub, tags: ["modular"], event: ModuleWorld.event))
            #expect(failure?.code == .sourceUnreachable)
            #expect(failure?.isTransient == true)
        }
    }
}
