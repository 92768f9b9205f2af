import Modules
import Testing

@Suite("The modules of a compose")
struct ModuleChoiceTests {
    @Test("the newest version in every context of it, or exactly what was asked for")
    func versions() async throws {
        let world = try ModuleWorld("m:1:10:a", "m:1:10:b", "m:1:9:a", "m:2:11:a")
        #expect(try await world.choice("m:1") == ["m:1:10:a", "m:1:10:b"])
        #expect(try await world.choice("m:1:9") == ["m:1:9:a"])
        #expect(try await world.choice("m:1:10:b") == ["m:1:10:b"])
        #expect(try await world.choice("m:1", "m:2") == ["m:1:10:a", "m:1:10:b", "m:2:11:a"])
        #expect(try await world.choice("m:1:10:b", "m:1:10:a", "m:1") == ["m:1:10:a", "m:1:10:b"])
        #expect(try await world.choice() == [])
    }

    @Test("what modules depend on is followed to the end, without base modules and without turning in circles")
    func dependencies() async throws {
        let world = try ModuleWorld(
            "app:1:1:a -> lib:5, app:1", "lib:5:1:a -> base:2, platform:f26", "base:2:1:a -> app:1, bootstrap:f26", "other:1:1:a")
        #expect(try await world.choice("app:1") == ["app:1:1:a", "base:2:1:a", "lib:5:1:a"])
        #expect(try await world.chain(of: "base:2:1:a", in: "app:1") == ["app:1", "lib:5", "base:2"])
        var alone = ModuleChoice.Rules()
        alone.noDependencies = true
        #expect(try await world.choice("app:1", rules: alone) == ["app:1:1:a"])
    }

    @Test("every context of a dependency is taken, for every context that depends on it")
    func contexts() async throws {
        let world = try ModuleWorld(
            "app:1:1:a @ f26=260000 -> lib:5", "app:1:1:b @ f27=270000 -> lib:5", "lib:5:3:c @ f26=260000", "lib:5:3:d @ f27=270000",
            "lib:5:3:e @ f28=280000")
        #expect(try await world.choice("app:1") == ["app:1:1:a", "app:1:1:b", "lib:5:3:c", "lib:5:3:d"])
    }

    @Test("of several streams that will do all that exist are taken; one that is excluded is not")
    func streams() async throws {
        let world = try ModuleWorld(
            "app:1:1:a -> lib:5|6|7", "new:1:1:a -> lib:-5", "any:1:1:a -> lib:", "lib:5:3:a", "lib:6:2:a", "lib:7x:1:a")
        #expect(try await world.choice("app:1") == ["app:1:1:a", "lib:5:3:a", "lib:6:2:a"])
        // The one that was built last, of those that are not excluded.
        #expect(try await world.choice("new:1") == ["lib:6:2:a", "new:1:1:a"])
        #expect(try await world.choice("any:1") == ["any:1:1:a", "lib:5:3:a"])
        // One that is in already will do, even if that is known only in the end.
        #expect(try await world.choice("any:1", "lib:7x") == ["any:1:1:a", "lib:7x:1:a"])
        let late = try ModuleWorld("any:1:1:a -> lib:", "b:1:1:a -> c:1", "c:1:1:a -> lib:6", "lib:5:3:a", "lib:6:2:a")
        #expect(try await late.choice("any:1", "b:1") == ["any:1:1:a", "b:1:1:a", "c:1:1:a", "lib:6:2:a"])
    }

    @Test("of alternatives those that can be met are, and one is enough")
    func alternatives() async throws {
        let world = try ModuleWorld(
            "app:1:1:a -> lib:5, gone:1; lib:6; lib:6", "lib:5:1:a", "lib:6:1:a", "poor:1:1:a -> lib:5, gone:1; gone:2", "gone:3:1:a")
        #expect(try await world.choice("app:1") == ["app:1:1:a", "lib:6:1:a"])
        #expect(
            try await world.refusal("poor:1")?.message
                == "The module poor:1:1:a depends on gone:1, of which there is only gone:3 in the test. It is in by the request for poor:1. "
                + "The flag no_deps leaves out what modules depend on.")
    }

    @Test("two versions of one stream are refused, with who wants which")
    func conflict() async throws {
        let world = try ModuleWorld("m:1:10:a", "m:1:9:a")
        let failure = try await world.refusal("m:1", "m:1:9")
        #expect(failure?.kind == .brokenDependencies)
        #expect(
            failure?.message
                == "The module m:1 is wanted in two versions: 10 by the request for m:1, and 9 by the request for m:1:9. A compose has one version of "
                + "a stream; ask for one of them, or make two composes.")
        let bases = try ModuleWorld(
            "app:1:1:a @ f26=260000 -> lib:5", "app:1:1:b @ f27=270000 -> mid:1", "mid:1:1:a @ f27=270000 -> lib:5",
            "lib:5:3:c @ f26=260000",
            "lib:5:4:d @ f27=270000")
        #expect(
            try await bases.refusal("app:1")?.message
                == "The module lib:5 is wanted in two versions: 3 by the request for app:1, which needs lib:5, and 4 by the request for app:1, which "
                + "needs mid:1, which needs lib:5. A compose has one version of a stream; ask for one of them, or make two composes.")
        #expect(try await bases.choice("app:1:1:b") == ["app:1:1:b", "lib:5:4:d", "mid:1:1:a"])
    }

    @Test("a version that was asked for meets what another module requires of its stream")
    func olderVersion() async throws {
        let world = try ModuleWorld("app:1:1:a -> lib:5", "lib:5:2:a", "lib:5:1:a")
        #expect(try await world.choice("app:1", "lib:5:1") == ["app:1:1:a", "lib:5:1:a"])
    }

    @Test("what was built for an earlier generation of the base will do, and of a later or another one will not")
    func bases() async throws {
        let world = try ModuleWorld(
            "leaf:master:1:a @ el8.3.0.z=8000300 -> lib:master", "lib:master:1:abcdef @ el8.2.0.z=8000200",
            "lib:master:1:fedcba @ el8.4.0=8000400", "lib:master:2:b @ el7.9.0=7000900")
        #expect(try await world.choice("leaf:master") == ["leaf:master:1:a", "lib:master:1:abcdef"])
        // What was asked for may have been built against certain bases only; that is not asked of what it needs.
        var rules = ModuleChoice.Rules()
        rules.filter.baseName = "platform"
        rules.filter.baseStream = "el8.3.0.z"
        #expect(try await world.choice("leaf:master", rules: rules) == ["leaf:master:1:a", "lib:master:1:abcdef"])
        #expect(try await world.refusal("lib:master", rules: rules)?.kind == .notFound)
    }

    @Test("of a stream that modules of several generations need, the newest version is taken that is right for all")
    func common() async throws {
        // The one who can do with less comes late.
        let world = try ModuleWorld(
            "app:1:1:a @ el8.3.0=80300 -> lib:5, tool:1", "tool:1:1:a @ el8.2.0=80200 -> more:1", "more:1:1:a @ el8.2.0=80200 -> lib:5",
            "lib:5:8030:c @ el8.3.0=80300 -> only:3", "lib:5:8020:d @ el8.2.0=80200", "lib:5:8010:d @ el8.1.0=80100",
            "only:3:1:a @ el8.3.0=80300")
        #expect(try await world.choice("app:1") == ["app:1:1:a", "lib:5:8020:d", "more:1:1:a", "tool:1:1:a"])
        // Where there is nothing for one, what is in for another holds.
        let single = try ModuleWorld(
            "app:1:1:a @ el8.3.0=80300 -> lib:5, tool:1", "tool:1:1:a @ el8.2.0=80200 -> lib:5", "lib:5:8030:c @ el8.3.0=80300")
        #expect(try await single.choice("app:1") == ["app:1:1:a", "lib:5:8030:c", "tool:1:1:a"])
    }

    @Test("numbers of streams that make no sense bound nothing", arguments: ["1e300", "-5", "0.5", "99999999999999999999"])
    func strangeNumbers(number: String) async throws {
        let world = try ModuleWorld("app:1:1:a @ el8=\(number) -> lib:5", "lib:5:1:a @ el8=\(number)")
        #expect(try await world.choice("app:1") == ["app:1:1:a", "lib:5:1:a"])
    }

    @Test("each question is asked once")
    func questions() async throws {
        let world = try ModuleWorld(
            "app:1:1:a -> lib:5, tool:1", "app:1:1:b -> lib:5, tool:1", "lib:5:1:a -> tool:1, base:1", "tool:1:1:a -> base:1, any:",
            "base:1:1:a -> any:", "any:1:1:a", "any:2:2:a")
        #expect(
            try await world.choice("app:1", "app:1") == ["any:2:2:a", "app:1:1:a", "app:1:1:b", "base:1:1:a", "lib:5:1:a", "tool:1:1:a"])
        #expect(world.questions.count == Set(world.questions).count, "\(world.questions)")
    }

    @Test("four questions are asked at once, and no more", .timeLimit(.minutes(1)))
    func atOnce() async throws {
        let names = (1...9).map { "m\($0)" }
        let catalog = WaitingCatalog(try ModuleWorld("m1:1:1:a", "m2:1:1:a", "m3:1:1:a", "m4:1:1:a", "m5:1:1:a"))
        _ = await #expect(throws: ModuleChoiceError.self) {
            try await ModuleChoice(of: names.map { ModuleReference(name: $0, stream: "1") }, from: catalog)
        }
        #expect(await catalog.most == 4)
    }

    /// Answers the first questions when four of them are open.
    private actor WaitingCatalog: ModuleCatalog {
        nonisolated let name = "the test"
        private let world: ModuleWorld
        private var open = 0
        private(set) var most = 0
        private var waiting: [CheckedContinuation<Void, Never>] = []

        init(_ world: ModuleWorld) { self.world = world }

        func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async -> [ModuleBuild] {
            open += 1
            most = max(most, open)
            if most < 4 {
                await withCheckedContinuation { waiting.append($0) }
            } else {
                for continuation in waiting { continuation.resume() }
                waiting = []
                await Task.yield()
            }
            open -= 1
            return world.builds(of: reference, filter: filter)
        }

        func streams(of module: String, filter: ModuleBuildFilter) -> [String] { world.streams(of: module, filter: filter) }
        func modules() -> [String] { world.modules() }
    }

    @Test("a base module is in no compose")
    func baseModule() async throws {
        let failure = try await ModuleWorld("platform:f26:1:a").refusal("platform:f26")
        #expect(failure?.kind == .baseModule)
        #expect(
            failure?.message
                == "The module platform:f26 cannot be in a compose: platform is a base module, which every machine has. Modules that were built against "
                + "a certain one are chosen with base_module_br_name and base_module_br_stream.")
    }

    @Test("builds of a repository are chosen by the base modules that the rules name")
    func otherBaseModules() async throws {
        let metadata = try ModuleMetadata(
            yaml: [(1, "core9"), (2, "core10")].map { version, base in
                """
                ---
                document: modulemd
                version: 2
                data:
                  name: app
                  stream: "1"
                  version: \(version)
                  context: a
                  summary: A module.
                  description: A module.
                  license: {module: [MIT]}
                  dependencies:
                  - requires: {system: [\(base)]}
                ...

                """
            }.joined())
        let repository = RepositoryModules(metadata)
        let reference = ModuleReference(name: "app", stream: "1")
        var rules = ModuleChoice.Rules()
        rules.baseModules = ["system"]
        rules.filter.baseName = "system"
        rules.filter.baseStream = "core9"
        #expect(try await ModuleChoice(of: [reference], from: repository, rules: rules).modules.map(\.build.id.version) == [1])
        rules.filter.baseStream = nil
        rules.filter.baseStreamVersionAtLeast = 100_000
        #expect(try await ModuleChoice(of: [reference], from: repository, rules: rules).modules.map(\.build.id.version) == [2])
        rules.filter.baseStreamVersionAtLeast = 110_000
        await #expect(throws: ModuleChoiceError.self) { try await ModuleChoice(of: [reference], from: repository, rules: rules) }
    }

    @Test(
        "what there is not is named with what comes near",
        arguments: [
            ("nodjs:20", "There is no module nodjs:20 in the test. The nearest names are nodejs, perl."),
            ("nodejs:21", "There is no module nodejs:21 in the test. There is nodejs:20, nodejs:8."),
            ("nodejs:20:5", "There is no module nodejs:20:5 in the test. There is nodejs:20:7:a."),
        ])
    func absent(asked: String, said: String) async throws {
        let failure = try await ModuleWorld("nodejs:20:7:a", "nodejs:8:1:a", "perl:5:1:a").refusal(asked)
        #expect(failure?.kind == .notFound)
        #expect(failure?.message == said)
    }

    @Test("a dependency that there is not is named with who needs it and how that came in")
    func absentDependency() async throws {
        let world = try ModuleWorld("app:1:1:a -> lib:5", "lib:5:1:a -> gone:1", "gone:2:1:a", "half:1:1:a -> none:-4")
        let failure = try await world.refusal("app:1")
        #expect(failure?.kind == .brokenDependencies)
        #expect(
            failure?.message
                == "The module lib:5:1:a depends on gone:1, of which there is only gone:2 in the test. It is in by the request for app:1, which needs "
                + "lib:5. The flag no_deps leaves out what modules depend on.")
        #expect(failure?.findings == [.init(module: "lib:5:1:a", requirement: "gone:1", text: "app:1 → lib:5")])
        #expect(
            try await world.refusal("half:1")?.message
                == "The module half:1:1:a depends on none, but not 4, of which there is no build at all in the test. It is in by the request for "
                + "half:1. The flag no_deps leaves out what modules depend on.")
    }
}
