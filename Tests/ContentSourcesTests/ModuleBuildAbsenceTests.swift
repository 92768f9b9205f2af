import ComposeModel
import Modules
import Testing

@testable import ContentSources

@Suite("A module that the Module Build Service does not give")
struct ModuleBuildAbsenceTests {
    private func message(_ asked: String, in replay: ModuleBuildReplay, _ change: (inout ModuleChoice.Rules) -> Void = { _ in })
        async throws
        -> String?
    {
        let reference = try #require(ModuleReference(asked))
        var rules = ModuleChoice.Rules()
        change(&rules)
        return try await ModuleBuildBench.with(replay) { (service, server) async throws in
            let failure = try await ModuleBuildBench.failure { _ = try await ModuleChoice(of: [reference], from: service, rules: rules) }
            #expect(failure?.isTransient == false)
            return failure?.message.replacing(server.address, with: "http://mbs")
        }
    }

    @Test("does not exist: the nearest names or streams are named")
    func unknown() async throws {
        #expect(
            try await message("testmodul:master", in: ModuleBuildReplay())
                == "There is no module testmodul:master in the Module Build Service at http://mbs. The nearest names are testmodule, depmodule, "
                + "platform.")
        #expect(
            try await message("testmodule:mister", in: ModuleBuildReplay())
                == "There is no module testmodule:mister in the Module Build Service at http://mbs. There is testmodule:master, "
                + "testmodule:next-gen.")
        #expect(
            try await message("testmodule:next-gen:5", in: ModuleBuildReplay())
                == "There is no module testmodule:next-gen:5 in the Module Build Service at http://mbs. There is "
                + "testmodule:next-gen:20180501000000:c2c572ec.")
    }

    @Test("is not ready: its state is named")
    func unready() async throws {
        #expect(
            try await message("testmodule:master:20180707000000", in: ModuleBuildReplay())
                == "There is no module testmodule:master:20180707000000 that could be taken. The module "
                + "testmodule:master:20180707000000:c2c572ec is in the state failed (\"Some failure\") in the Module Build Service at http://mbs; "
                + "only ready modules are taken, and done ones with the flag include_done_modules.")
        let replay = ModuleBuildReplay(
            hasRecorded: false,
            additional: [
                try ModuleBuildReplay.build("m:1:4:a", number: 1, state: 4), try ModuleBuildReplay.build("m:1:5:a", number: 2, state: 2),
                try ModuleBuildReplay.build("m:1:5:b", number: 3, state: 1),
            ])
        #expect(
            try await message("m-devel:1", in: replay) { $0.filter.includesDone = true }
                == "There is no module m-devel:1 that could be taken. The module m:1:5:b is in the state wait, and m:1:5:a is in the state build "
                + "in the Module Build Service at http://mbs; only ready and done modules are taken.")
    }

    @Test("was built against another base module: which one is named")
    func otherBase() async throws {
        #expect(
            try await message("testmodule:next-gen", in: ModuleBuildReplay()) {
                $0.filter.baseName = "platform"
                $0.filter.baseStream = "f27.0.0"
            }
                == "There is no module testmodule:next-gen that could be taken. The module testmodule:next-gen:20180501000000:c2c572ec in the "
                + "Module Build Service at http://mbs was built against platform:f26.0.0, and only those built against platform:f27.0.0 are taken."
        )
    }

    @Test("is done: it is taken by its complete name, and otherwise with the flag")
    func done() async throws {
        let replay = ModuleBuildReplay(hasRecorded: false, additional: [try ModuleBuildReplay.build("m:1:5:a", number: 1, state: 3)])
        try await ModuleBuildBench.with(replay) { (service, _) async throws in
            let complete = try #require(ModuleReference("m:1:5:a"))
            #expect(try await ModuleChoice(of: [complete], from: service).modules.map(\.build.id.description) == ["m:1:5:a"])
            var rules = ModuleChoice.Rules()
            rules.filter.includesDone = true
            let stream = ModuleReference(name: "m", stream: "1")
            #expect(try await ModuleChoice(of: [stream], from: service, rules: rules).modules.map(\.build.id.description) == ["m:1:5:a"])
        }
        #expect(
            try await message("m:1", in: replay)
                == "There is no module m:1 that could be taken. The module m:1:5:a is in the state done in the Module Build Service at http://mbs; "
                + "only ready modules are taken, and done ones with the flag include_done_modules.")
    }

    @Test("is a dependency that was built for a later generation of the base")
    func laterBase() async throws {
        let replay = ModuleBuildReplay(
            hasRecorded: false,
            additional: [
                try ModuleBuildReplay.build("leaf:1:1:a", number: 1, requires: "platform: [el8], lib: [\"1\"]", base: ("el8.3.0.z", 80300)),
                try ModuleBuildReplay.build("lib:1:1:fedcba", number: 2, requires: "platform: [el8]", base: ("el8.4.0", 80400)),
            ])
        #expect(
            try await message("leaf:1", in: replay)
                == "The module leaf:1:1:a depends on lib:1, which cannot be had. The module lib:1:1:fedcba in the Module Build Service at "
                + "http://mbs was built against platform:el8.4.0, and only those built against platform with a stream version of at least 80000 and at "
                + "most 80300 are taken. It is in by the request for leaf:1. The flag no_deps leaves out what modules depend on.")
    }

    @Test("is a dependency, which is taken as it was built for the same generation of the base or an earlier one")
    func earlierBase() async throws {
        let replay = ModuleBuildReplay(
            hasRecorded: false,
            additional: [
                try ModuleBuildReplay.build("leaf:1:1:a", number: 1, requires: "platform: [el8], lib: [\"1\"]", base: ("el8.3.0.z", 80300)),
                try ModuleBuildReplay.build("lib:1:1:abcdef", number: 2, requires: "platform: [el8]", base: ("el8.2.0.z", 80200)),
                try ModuleBuildReplay.build("lib:1:2:fedcba", number: 3, requires: "platform: [el8]", base: ("el8.4.0", 80400)),
                try ModuleBuildReplay.build("lib:1:3:a", number: 4, requires: "platform: [el7]", base: ("el7.9.0", 70900)),
            ])
        let found = try await ModuleBuildBench.with(replay) { (service, _) async throws in
            try await ModuleChoice(of: [ModuleReference(name: "leaf", stream: "1")], from: service).modules.map(\.build.id.description)
        }
        #expect(found == ["leaf:1:1:a", "lib:1:1:abcdef"])
    }
}
