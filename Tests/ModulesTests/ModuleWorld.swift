import Foundation
import Modules
import Synchronization

/// A place with a few modules, which counts what it is asked.
final class ModuleWorld: ModuleCatalog {
    let name: String
    private let builds: [ModuleBuild]
    private let asked: Mutex<[String]> = Mutex([])

    /// Modules, each written `N:S:V:C @ BASE-STREAM=NUMBER -> NAME:STREAM|STREAM, NAME:STREAM; ALTERNATIVE`, without the parts that it does not have.
    init(_ modules: String..., name: String = "the test") throws {
        self.name = name
        builds = try modules.map(Self.build)
    }

    /// The questions so far.
    var questions: [String] { asked.withLock { $0 } }

    func builds(of reference: ModuleReference, filter: ModuleBuildFilter) -> [ModuleBuild] {
        asked.withLock { $0.append("\(reference) \(filter.wantedBase)") }
        return builds.filter { reference.includes($0.id) && filter.accepts($0.bases) }
    }

    func streams(of module: String, filter: ModuleBuildFilter) -> [String] {
        Set(builds.filter { $0.id.name == module && filter.accepts($0.bases) }.map(\.id.stream)).sorted()
    }

    func modules() -> [String] { Set(builds.map(\.id.name)).sorted() }

    private static func build(_ line: String) throws -> ModuleBuild {
        let sides = line.components(separatedBy: " -> ")
        let made = sides[0].components(separatedBy: " @ ")
        let id = made[0].split(separator: ":").map(String.init)
        let alternatives = (sides.count > 1 ? sides[1].components(separatedBy: "; ") : []).map { alternative in
            let requires = alternative.components(separatedBy: ", ").map { text in
                let parts = text.split(separator: ":", omittingEmptySubsequences: false)
                return "\(parts[0]): [\(parts[1].split(separator: "|").map { "\"\($0)\"" }.joined(separator: ", "))]"
            }
            return "  - requires: {\(requires.joined(separator: ", "))}"
        }
        let yaml = """
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
            \(alternatives.isEmpty ? "  - requires: {}" : alternatives.joined(separator: "\n"))
            ...

            """
        let bases = made.dropFirst().map { base in
            let parts = base.split(separator: "=")
            return ModuleBuild.Base(name: "platform", stream: String(parts[0]), streamVersion: Double(parts[1]))
        }
        return ModuleBuild(stream: try ModuleMetadata(yaml: yaml).streams[0], bases: bases)
    }

    @discardableResult
    func choice(_ asked: String..., rules: ModuleChoice.Rules = ModuleChoice.Rules()) async throws -> [String] {
        try await ModuleChoice(of: asked.compactMap(ModuleReference.init), from: self, rules: rules).modules.map(\.build.id.description)
    }

    func chain(of id: String, in asked: String...) async throws -> [String]? {
        try await ModuleChoice(of: asked.compactMap(ModuleReference.init), from: self).modules
            .first { $0.build.id.description == id }?.chain
    }

    /// What a person is told when that cannot be had.
    func refusal(_ asked: String..., rules: ModuleChoice.Rules = ModuleChoice.Rules()) async throws -> ModuleChoiceError? {
        do {
            _ = try await ModuleChoice(of: asked.compactMap(ModuleReference.init), from: self, rules: rules)
            return nil
        } catch let failure as ModuleChoiceError {
            return failure
        }
    }
}
