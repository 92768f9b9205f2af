import Depsolve
import Foundation
import Modules
import Repodata
import Testing

/// Many small worlds of modules that nobody thought of, put to dnf as well.
@Suite("Random modules", .enabled("the system's Python has dnf") { await Dnf.isAvailable })
struct RandomModulesTests {
    private static let seeds = 1...40

    @Test("a machine sees the same packages as with dnf, and can enable the same streams")
    func visible() async throws {
        try await withTemporaryDirectory { directory in
            let depsolver = Depsolver()
            var questions: [Dnf.Question] = []
            var expected: [Set<String>?] = []
            for seed in Self.seeds {
                var dice = Dice(seed: seed)
                let yaml = try WorldModules(dice.modules()).yaml
                let repository = WorldRepository(packages: try WorldPackage.parse(dice.packages()), name: "\(seed)", modules: yaml)
                var request = DepsolveRequest(
                    repositories: [try repository.write(to: directory.appending(path: "\(seed)/repodata"))],
                    modules: ModularContent(metadata: try ModuleMetadata(yaml: yaml), enabled: dice.enabled()), arches: ["x86_64"])
                questions.append(ModularDnfTests.question(request, packages: []))
                do {
                    expected.append(try await ModularDnfTests.visible(&request, depsolver))
                } catch let error as DepsolveError {
                    guard case .modulesConflict(let statements, _) = error else { throw error }
                    #expect(!statements.isEmpty)
                    expected.append(nil)
                }
            }
            let answers = try await Dnf.ask(questions, below: directory)
            for (seed, (answer, expected)) in zip(Self.seeds, zip(answers, expected)) {
                #expect(answer.map { Set($0) } == expected, "world \(seed)")
            }
            #expect(expected.contains(nil) && expected.count { $0 != nil } > 20)
        }
    }
}

extension Dice {
    private static let moduleNames = ["a", "b", "c", "d"]

    mutating func modules() -> String {
        var text = ""
        for module in Self.moduleNames {
            let streams = roll(3) + 1
            for stream in 1...streams {
                for context in 1...roll(2) + 1 {
                    text += "\(module):\(stream):\(roll(3) + 1):c\(context)\(roll(4) == 0 ? " static" : "")\n"
                    let required = Self.moduleNames.filter { $0 != module && roll(4) == 0 }.map { "\($0)\(requiredStreams())" }
                    text += "    requires platform:f26 \(required.joined(separator: " "))\n"
                    for _ in 0...roll(2) { text += "    \(package())\n" }
                    if roll(6) == 0 { text += "    demodularized p\(roll(6))\n" }
                }
            }
            if roll(3) > 0 { text += "default \(module):\(roll(streams) + 1)\n" }
        }
        return text
    }

    private mutating func requiredStreams() -> String {
        switch roll(4) {
        case 0: ""
        case 1: ":-\(roll(3) + 1)"
        case 2: ":\(roll(2) + 1)|3"
        default: ":\(roll(3) + 1)"
        }
    }

    private mutating func package() -> String { "p\(roll(6)) \(roll(3) + 1)-1 x86_64" }

    mutating func packages() -> String {
        (0..<6).flatMap { name in (1...3).map { ("p\(name)", $0) } }.map { name, version in
            "\(name) \(version)-1 x86_64\n\(roll(5) == 0 ? "    provides p\(roll(6))\n" : "")"
        }.joined()
    }

    mutating func enabled() -> [ModuleReference] {
        Self.moduleNames.filter { _ in roll(3) == 0 }.map { ModuleReference(name: $0, stream: "1") }
    }
}
