import ComposeModel
import ContentSources
import Koji
import Modules
import Repodata
import ScriptedHub
import Testing

/// Which packages of modules' tags are the modules' own.
@Suite("Packages of modules in Koji") struct KojiModulePackagesTests {
    private static let arches = ["x86_64", "i686", "noarch", "nosrc", "src"]

    private func pin(_ modules: String..., tag: KojiPin.Tag? = nil, builds: [String] = []) -> KojiPin {
        KojiPin(
            tag: tag, builds: builds, modules: modules.map { .init(id: $0, tag: "module-content", build: NSVC.of($0).kojiBuild) },
            modulesEvent: ModuleWorld.event)
    }

    private func documents(_ texts: String...) throws -> ModuleMetadata {
        ModuleMetadata().with(streams: try texts.flatMap { try ModuleMetadata(yaml: $0).streams })
    }

    private func listing(_ world: ModuleWorld, _ pin: KojiPin, _ documents: ModuleMetadata) async throws -> KojiListing {
        try await world.source.packages(of: pin, arches: Self.arches, signatures: false, modules: documents)
    }

    private func names(_ listing: KojiListing) -> [String] { listing.packages.map(\.nevra.description).sorted() }

    private func withModule(_ body: (ModuleWorld) async throws -> Void) async throws {
        try await ModuleWorld.with { world in
            world.addPackages(
                [
                    "a-0:1-1.x86_64", "a-0:1-1.i686", "a-0:1-1.src", "a-debuginfo-0:1-1.x86_64", "a-devel-0:1-1.x86_64",
                    "a-doc-0:1-1.noarch", "a-0:1-1.s390x",
                ], of: "a-1-1", id: 600, to: "module-content")
            world.addPackages(["b-3:1-1.x86_64", "b-3:1-1.nosrc"], of: "b-1-1", id: 601, to: "module-content")
            world.addPackages(["tool-0:1-1.x86_64", "tool-0:1-1.src"], of: "tool-1-1", id: 602, to: "module-content")
            try await body(world)
        }
    }

    @Test("of a module's tag the artifacts are listed, and the source packages of their builds; what was filtered out is not")
    func artifacts() async throws {
        try await withModule { world in
            let artifacts = ["a-0:1-1.x86_64", "a-debuginfo-0:1-1.x86_64", "a-doc-0:1-1.noarch", "b-3:1-1.x86_64"]
            let documents = try documents(ModuleWorld.document(.of("m:1:1:x"), arch: "x86_64", artifacts: artifacts, filters: ["a-devel"]))
            let listing = try await listing(world, pin("m:1:1:x"), documents)
            #expect(
                names(listing) == [
                    "a-1-1.src", "a-1-1.x86_64", "a-debuginfo-1-1.x86_64", "a-doc-1-1.noarch", "b-3:1-1.nosrc", "b-3:1-1.x86_64",
                ])
            #expect(listing.modules == documents)
            #expect(listing.notes == [])
            let call = try #require(world.scripted.calls.first { $0.method == "listTaggedRPMS" })
            #expect(Set(call.keywords) == [.init("event", 100), .init("arch", ["x86_64", "i686", "noarch", "nosrc", "src"])])
        }
    }

    @Test("an artifact that no package of the tag is, is told, up to five for each module; those for other architectures are not missed")
    func missing() async throws {
        try await withModule { world in
            let gone = (1...7).map { "gone\($0)-0:1-1.x86_64" }
            let documents = try documents(
                ModuleWorld.document(.of("m:1:1:x"), arch: "x86_64", artifacts: ["a-0:1-1.x86_64", "other-0:1-1.ppc64le"] + gone),
                ModuleWorld.document(.of("m:1:1:x"), arch: "s390x", artifacts: ["a-0:1-1.s390x"]),
                ModuleWorld.document(.of("n:1:1:x"), arch: "x86_64", artifacts: ["b-3:1-1.x86_64", "lost-2:1-1.noarch"]))
            let listing = try await listing(world, pin("m:1:1:x", "n:1:1:x"), documents)
            #expect(names(listing) == ["a-1-1.src", "a-1-1.x86_64", "b-3:1-1.nosrc", "b-3:1-1.x86_64"])
            #expect(
                listing.notes == [
                    "The tag module-content in Koji has not all packages of the module m:1:1:x at the event 100: there is no gone1-1-1.x86_64, "
                        + "gone2-1-1.x86_64, gone3-1-1.x86_64, gone4-1-1.x86_64, gone5-1-1.x86_64, 2 more.",
                    "The tag module-content in Koji has not all packages of the module n:1:1:x at the event 100: there is no lost-2:1-1.noarch.",
                ])
            #expect(listing.modules == documents)
            #expect(world.scripted.calls.count { $0.method == "listTaggedRPMS" } == 1)
        }
    }

    @Test("a module whose document names no packages has all of its architecture but those that are filtered out, and says so from then on")
    func withoutArtifacts() async throws {
        try await withModule { world in
            let documents = try documents(
                ModuleWorld.document(.of("m:1:1:x"), arch: "x86_64", filters: ["a-devel", "tool"]))
            let listing = try await listing(world, pin("m:1:1:x"), documents)
            let expected = [
                "a-1-1.src", "a-1-1.x86_64", "a-debuginfo-1-1.x86_64", "a-doc-1-1.noarch", "b-3:1-1.nosrc", "b-3:1-1.x86_64",
            ]
            #expect(names(listing) == expected)
            #expect(listing.modules.streams.first?.artifacts.map(\.description).sorted() == expected)
            #expect(listing.notes == [])
        }
    }

    @Test("an architecture for which a module names no packages has none, if it names some for another")
    func otherArchitecture() async throws {
        try await withModule { world in
            let documents = try documents(
                ModuleWorld.document(.of("m:1:1:x"), arch: "x86_64", artifacts: ["b-3:1-1.x86_64"]),
                ModuleWorld.document(.of("m:1:1:x"), arch: "s390x"))
            let listing = try await world.source.packages(
                of: pin("m:1:1:x"), arches: Self.arches + ["s390x"], signatures: false, modules: documents)
            #expect(names(listing) == ["b-3:1-1.nosrc", "b-3:1-1.x86_64"])
            #expect(listing.modules == documents)
        }
    }

    @Test("an artifact that is written without its epoch is the package with it")
    func epochs() async throws {
        try await withModule { world in
            let documents = try documents(ModuleWorld.document(.of("m:1:1:x"), arch: "x86_64", artifacts: ["b-0:1-1.x86_64"]))
            let listing = try await listing(world, pin("m:1:1:x"), documents)
            #expect(names(listing) == ["b-3:1-1.nosrc", "b-3:1-1.x86_64"])
            #expect(listing.modules.streams.first?.artifacts.map(\.description) == ["b-3:1-1.x86_64"])
        }
    }

    @Test(
        "a module and its devel module share a tag, which is listed once, and the devel module's packages are what the other one filters out"
    )
    func devel() async throws {
        try await withModule { world in
            let documents = try documents(
                ModuleWorld.document(.of("m:1:1:x"), arch: "x86_64", artifacts: ["a-0:1-1.x86_64"], filters: ["a-devel"]),
                ModuleWorld.document(.of("m-devel:1:1:x"), arch: "x86_64", artifacts: ["a-devel-0:1-1.x86_64"], filters: ["a-devel"]))
            let both = try await listing(world, pin("m:1:1:x", "m-devel:1:1:x"), documents)
            #expect(names(both) == ["a-1-1.src", "a-1-1.x86_64", "a-devel-1-1.x86_64"])
            #expect(world.scripted.calls.count { $0.method == "listTaggedRPMS" } == 1)
            let devel = try await listing(world, pin("m-devel:1:1:x"), documents)
            #expect(names(devel) == ["a-1-1.src", "a-devel-1-1.x86_64"])
        }
    }

    @Test("a tag and modules together list both, and builds that are named stand in for the tag's and not for the modules'")
    func tagAndModules() async throws {
        try await withModule { world in
            world.addTag("plain", id: 95)
            world.addPackages(["a-0:0-1.x86_64"], of: "a-0-1", id: 610, to: "plain")
            world.addPackages(["ed-0:1-1.x86_64"], of: "ed-1-1", id: 611, to: "plain")
            world.scripted.answer(XMLRPCCall("getBuild", "a-2-1"), with: .value(ModuleWorld.build("a-2-1", id: 612)))
            world.scripted.answer(
                XMLRPCCall("listBuildRPMs", 612),
                with: .value([["id": 7, "build_id": 612, "name": "a", "version": "2", "release": "1", "arch": "x86_64", "size": 1]]))
            world.scripted.answer(XMLRPCCall("queryRPMSigs", keywords: [.init("rpm_id", 7)]), with: .value([]))
            let documents = try documents(ModuleWorld.document(.of("m:1:1:x"), arch: "x86_64", artifacts: ["a-0:1-1.x86_64"]))
            let tag = KojiPin.Tag(name: "plain", id: 95, event: ModuleWorld.event, inherits: true)
            let listing = try await listing(world, pin("m:1:1:x", tag: tag, builds: ["a-2-1"]), documents)
            #expect(names(listing) == ["a-1-1.src", "a-1-1.x86_64", "a-2-1.x86_64", "ed-1-1.x86_64"])
        }
    }

    @Test("the recorded module's packages are found from its documents", arguments: ModuleWorld.Files.allCases)
    func recorded(files: ModuleWorld.Files) async throws {
        try await ModuleWorld.with(files) { world in
            let release = "2.4-1.module_f26+12+abcdef12"
            world.addPackages(
                ["x86_64", "i686", "aarch64", "src"].map { "modpkg-0:\(release).\($0)" }
                    + ["x86_64", "i686", "aarch64"].map { "modpkg-debuginfo-0:\(release).\($0)" },
                of: "modpkg-\(release)", id: 600, to: "module-content")
            let pin = pin("testmodule:master:20180405123256:c2c572ec")
            let documents = try await world.source.modules(of: pin, arches: ["x86_64"])
            let listing = try await listing(world, pin, documents)
            #expect(names(listing) == ["modpkg-\(release).src", "modpkg-\(release).x86_64", "modpkg-debuginfo-\(release).x86_64"])
            #expect(listing.notes == [])
            // They are packages like all others: their headers are read from the same tree.
            let (repository, unusable) = try await world.source.usableMetadata(of: listing.packages)
            #expect(unusable.isEmpty)
            #expect(try MetadataIndex(opening: repository.metadata).count == 3)
        }
    }

    @Test("a module's tag that is not there is told with the module")
    func noTag() async throws {
        try await ModuleWorld.with { world in
            let documents = try documents(ModuleWorld.document(.of("m:1:1:x"), arch: "x86_64"))
            let failure = await #expect(throws: ComposeFailure.self) { try await listing(world, pin("m:1:1:x"), documents) }
            #expect(
                failure?.message.replacing(world.scripted.address.dropLast("/kojihub".count), with: "HUB")
                    == "The packages of the module m:1:1:x, which are in the tag module-content, cannot be listed: "
                    + "The Koji hub at HUB refused the call listTaggedRPMS: No such tagInfo: 'module-content' (fault 1000).")
        }
    }
}
