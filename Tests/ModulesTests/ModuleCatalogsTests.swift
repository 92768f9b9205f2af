import Modules
import Testing

@Suite("Several places where modules come from")
struct ModuleCatalogsTests {
    @Test("the first that has a build of a reference gives it")
    func order() async throws {
        let first = try ModuleWorld("m:1:1:a -> lib:1", "n:1:1:a", name: "the first")
        let second = try ModuleWorld("m:1:2:b", "m:2:1:a", "lib:1:1:a", name: "the second")
        let both = ModuleCatalogs([first, second])
        let chosen = try await ModuleChoice(of: ["m:1", "m:2"].compactMap(ModuleReference.init), from: both)
        #expect(chosen.modules.map(\.build.id.description) == ["lib:1:1:a", "m:1:1:a", "m:2:1:a"])
        #expect(try await both.streams(of: "m", filter: ModuleBuildFilter()) == ["1", "2"])
        #expect(try await both.streams(of: "lib", filter: ModuleBuildFilter()) == ["1"])
        #expect(try await both.modules() == ["lib", "m", "n"])
    }

    @Test("an absent module is missed in all of them")
    func absent() async throws {
        let catalogs = try ["the first", "the second", "the third"].map { try ModuleWorld("m:1:1:a", name: $0) }
        for (count, places) in [(1, "the first"), (2, "the first or the second"), (3, "the first, the second or the third")] {
            let failure = await #expect(throws: ModuleChoiceError.self) {
                try await ModuleChoice(of: [ModuleReference(name: "m", stream: "2")], from: ModuleCatalogs(Array(catalogs.prefix(count))))
            }
            #expect(failure?.message == "There is no module m:2 in \(places). There is m:1.")
        }
        let failure = await #expect(throws: ModuleChoiceError.self) {
            try await ModuleChoice(of: [ModuleReference(name: "m", stream: "2")], from: ModuleCatalogs([]))
        }
        #expect(failure?.message == "There is no module m:2 in any place: none is configured.")
    }

    @Test("what a place knows of a module that it does not give is told")
    func reason() async throws {
        struct Builder: ModuleCatalog {
            let name = "the builder"
            func builds(of reference: ModuleReference, filter: ModuleBuildFilter) -> [ModuleBuild] { [] }
            func streams(of module: String, filter: ModuleBuildFilter) -> [String] { [] }
            func modules() -> [String] { [] }
            func reason(forAbsenceOf reference: ModuleReference, filter: ModuleBuildFilter) -> String? { "\(reference) is being built." }
        }
        let catalogs = ModuleCatalogs([try ModuleWorld("app:1:1:a -> m:2"), Builder()])
        let failure = await #expect(throws: ModuleChoiceError.self) {
            try await ModuleChoice(of: [ModuleReference(name: "m", stream: "2")], from: catalogs)
        }
        #expect(failure?.message == "There is no module m:2 that could be taken. m:2 is being built.")
        let dependency = await #expect(throws: ModuleChoiceError.self) {
            try await ModuleChoice(of: [ModuleReference(name: "app", stream: "1")], from: catalogs)
        }
        #expect(
            dependency?.message
                == "The module app:1:1:a depends on m:2, which cannot be had. m:2 is being built. It is in by the request for app:1. The flag no_deps "
                + "leaves out what modules depend on.")
    }
}
