import ComposeModel
import Foundation
import Modules
import Testing

@Suite("The modules of a compose")
struct ModuleChoiceTests {
    @Test("the newest version in every context of it, or exactly what was asked for")
    func versions() async throws {
        let world = try World("m:1:10:a", "m:1:10:b", "m:1:9:a", "m:2:11:a")
        #expect(try await world.choice("m:1") == ["m:1:10:a", "m:1:10:b"])
        #expect(try await world.choice("m:1:9") == ["m:1:9:a"])
        #expect(try await world.choice("m:1:10:b") == ["m:1:10:b"])
        #expect(try await world.choice("m:1", "m:2") == ["m:1:10:a", "m:1:10:b", "m:2:11:a"])
        #expect(try await world.choice("m:1:10:b", "m:1:10:a", "m:1") == ["m:1:10:a", "m:1:10:b"])
    }

    @Test("what modules depend on is followed to the end, without base modules and without turning in circles")
    func dependencies() async throws {
        let world = try World("app:1:1:a -> lib:5", "lib:5:1:a -> base:2, platform:f26", "base:2:1:a -> app:1", "other:1:1:a")
        #expect(try await world.choice("app:1") == ["app:1:1:a", "base:2:1:a", "lib:5:1:a"])
        #expect(try await world.chain(of: "base:2:1:a", in: "app:1") == ["app:1", "lib:5", "base:2"])
        var alone = ModuleChoice.Rules()
        alone.noDependencies = true
        #expect(try await world.choice("app:1", rules: alone) == ["app:1:1:a"])
    }

    @Test("of several streams that will do all that exist are taken; one that is excluded is not")
    func streams() async throws {
        let world = try World(
            "app:1:1:a -> lib:5|6|7", "new:1:1:a -> lib:-5", "any:1:1:a -> lib:", "lib:5:3:a", "lib:6:2:a", "lib:7x:1:a")
        #expect(try await world.choice("app:1") == ["app:1:1:a", "lib:5:3:a", "lib:6:2:a"])
        // The one that was built last, of those that are not excluded.
        #expect(try await world.choice("new:1") == ["lib:6:2:a", "new:1:1:a"])
        #expect(try await world.choice("any:1") == ["any:1:1:a", "lib:5:3:a"])
        // One that is in already will do.
        #expect(try await world.choice("any:1", "lib:7x") == ["any:1:1:a", "lib:7x:1:a"])
    }

    @Test("two versions of one stream are refused, with who wants which")
    func conflict() async throws {
        let world = try World("m:1:10:a", "m:1:9:a")
        let failure = await #expect(throws: ComposeFailure.self) { try await world.choice("m:1", "m:1:9") }
        #expect(failure?.code == .brokenDependencies)
        #expect(failure?.message.contains("m:1 is wanted in two versions: 10 by the request, and 9 by the request") == true)
    }

    @Test("a version that was asked for meets what another module requires of its stream")
    func olderVersion() async throws {
        let world = try World("app:1:1:a -> lib:5", "lib:5:2:a", "lib:5:1:a")
        #expect(try await world.choice("app:1", "lib:5:1") == ["app:1:1:a", "lib:5:1:a"])
    }

    @Test(
        "what there is not is named with what comes near",
        arguments: [
            ("nodjs:20", "There is no module nodjs:20. The nearest names are nodejs"),
            ("nodejs:21", "There is no module nodejs:21. There is nodejs:20"),
            ("nodejs:20:5", "There is no module nodejs:20:5. There is nodejs:20:7:a."),
        ])
    func absent(asked: String, said: String) async throws {
        let world = try World("nodejs:20:7:a", "nodejs:8:1:a", "perl:5:1:a")
        let failure = await #expect(throws: ComposeFailure.self) { try await world.choice(asked) }
        #expect(failure?.code == .packageNotFound)
        #expect(failure?.message.hasPrefix(said) == true)
    }

    @Test("a dependency that there is not is named with who needs it and how that came in")
    func absentDependency() async throws {
        let world = try World("app:1:1:a -> lib:5", "lib:5:1:a -> gone:1", "half:1:1:a -> lib:9", "gone:2:1:a")
        let failure = await #expect(throws: ComposeFailure.self) { try await world.choice("app:1") }
        #expect(failure?.code == .brokenDependencies)
        #expect(
            failure?.message.hasPrefix(
                "The module lib:5:1:a depends on gone:1, of which there is only 2. It is in by the request for app:1, which needs lib:5.")
                == true)
    }

    /// Modules, each written `N:S:V:C -> NAME:STREAM|STREAM, NAME:STREAM`.
    private struct World {
        let catalog: RepositoryModules

        init(_ modules: String...) throws {
            let yaml = modules.map { line in
                let sides = line.split(separator: " -> ").map(String.init)
                let id = sides[0].split(separator: ":").map(String.init)
                let requires = (sides.count > 1 ? sides[1].components(separatedBy: ", ") : []).map { text in
                    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
                    return "\(parts[0]): [\(parts[1].split(separator: "|").map { "\"\($0)\"" }.joined(separator: ", "))]"
                }
                return """
                    ---
                    document: modulemd
                    version: 2
                    data:
                      name: \(id[0])
                      stream: "\(id[1])"
                      version: \(id[2])
                      context: \(id[3])
                      arch: x86_64
                      summary: A module
                      description: A module.
                      license: {module: [MIT]}
                      dependencies:
                      - requires: {\(requires.joined(separator: ", "))}
                    ...

                    """
            }
            catalog = RepositoryModules(try ModuleMetadata(yaml: yaml.joined()))
        }

        @discardableResult
        func choice(_ asked: String..., rules: ModuleChoice.Rules = ModuleChoice.Rules()) async throws -> [String] {
            try await ModuleChoice(of: asked.compactMap(ModuleReference.init), from: catalog, rules: rules).modules.map(
                \.build.id.description)
        }

        func chain(of id: String, in asked: String...) async throws -> [String]? {
            try await ModuleChoice(of: asked.compactMap(ModuleReference.init), from: catalog).modules
                .first { $0.build.id.description == id }?.chain
        }
    }
}
