import Modules
import Testing

/// Modules as the first published form of a request names them.
@Suite struct DashedModuleTests {
    private func meaning(of text: String, in world: ModuleWorld) async throws -> String {
        try await #require(DashedModule(text)).reference(in: world, rules: ModuleChoice.Rules()).description
    }

    @Test("a name with dashes means the module that is known")
    func meaning() async throws {
        let world = try ModuleWorld("nodejs:22:20240101:a", "perl-DBI:1.6:5:a", "app:rolling-1:7:a")
        #expect(try await meaning(of: "nodejs-22", in: world) == "nodejs:22")
        #expect(try await meaning(of: "nodejs-22-20240101", in: world) == "nodejs:22:20240101")
        #expect(try await meaning(of: "perl-DBI-1.6", in: world) == "perl-DBI:1.6")
        #expect(try await meaning(of: "perl-DBI-1.6-5", in: world) == "perl-DBI:1.6:5")
        #expect(try await meaning(of: "app-rolling-1", in: world) == "app:rolling-1")
        #expect(try await meaning(of: "app-rolling-1-7", in: world) == "app:rolling-1:7")
    }

    @Test("a name that can be two modules which are known is refused, and both are named")
    func ambiguous() async throws {
        let world = try ModuleWorld("a:b-1:5:c", "a-b:1:5:c")
        let failure = await #expect(throws: ModuleChoiceError.self) { _ = try await meaning(of: "a-b-1", in: world) }
        #expect(failure?.message == "The module a-b-1 can be each of a:b-1, a-b:1. Name it with colons, as one of these.")
    }

    @Test("a name that no known module has is refused, and it is said what was looked for")
    func unknown() async throws {
        let failure = await #expect(throws: ModuleChoiceError.self) { _ = try await meaning(of: "nodejs-22-1", in: try ModuleWorld()) }
        #expect(
            failure?.message
                == "There is no module nodejs-22-1 in the test. It was looked for as nodejs:22-1, nodejs:22:1, nodejs-22:1.")
    }

    @Test("other texts are no such names", arguments: ["nodejs", "nodejs:22", "a-b:1", "-a", "a-", "a--b", "1-2-3-4-5-6-7-8-9-10"])
    func others(_ text: String) {
        #expect(DashedModule(text) == nil)
    }

    @Test("base modules are never meant")
    func base() async throws {
        let world = try ModuleWorld("platform:f26:1:a")
        await #expect(throws: ModuleChoiceError.self) { _ = try await meaning(of: "platform-f26", in: world) }
    }
}
