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

    @Test(
        "each package of a build can be installed where its stream is enabled exactly if nothing was reported, also from the result alone")
    func included() async throws {
        /// A package, with its build and its world, and whether it should be possible to install it.
        struct Case {
            let package: NEVRA
            let place: String
            let works: Bool
        }
        try await withTemporaryDirectory { directory in
            let depsolver = Depsolver()
            var cases: [Case] = []
            var questions: [Dnf.Question] = []
            for seed in Self.seeds {
                var dice = Dice(seed: seed)
                let yaml = try WorldModules(dice.modules()).yaml
                let packages = try WorldPackage.parse(dice.packages(requiring: true) + "other 1-1 noarch\n")
                let metadata = try ModuleMetadata(yaml: yaml)
                // dnf enables streams: of one with several builds it may take another.
                let streams = Dictionary(grouping: metadata.streams, by: \.id.nameAndStream).values.filter { $0.count == 1 }
                guard let build = streams.map({ $0[0] }).min(by: { $0.id < $1.id }) else { continue }
                let source = directory.appending(path: "\(seed)/source")
                let result = directory.appending(path: "\(seed)/result")
                let repository = WorldRepository(packages: packages, name: "\(seed)", modules: yaml)
                let resolution = try await depsolver.resolve(
                    DepsolveRequest(
                        repositories: [try repository.write(to: source.appending(path: "repodata"))],
                        modules: ModularContent(metadata: metadata, included: [build.id]), packages: ["other"], arches: ["x86_64"]))
                let tree = resolution.trees[0].binaries
                let resolved = Set(tree.map(\.record.nevra))
                _ = try WorldRepository(
                    packages: packages.filter { resolved.contains($0.nevra) }, name: "result \(seed)",
                    modules: metadata.yaml(of: Set(resolution.modules), packages: resolved)
                ).write(to: result.appending(path: "repodata"))
                for package in tree where package.reason == .module(build.id.description) {
                    let nevra = package.record.nevra
                    let isReported =
                        resolution.missing.contains { $0.package == nevra || $0.chain.first?.package == nevra }
                        || resolution.problems.contains { $0.package == nevra }
                        || resolution.moduleProblems.contains { $0.kind == .unmetRequirements }
                    for place in [source, result] {
                        questions.append(
                            Dnf.Question(repositories: [place.path], packages: ["\(nevra)"], enabled: [build.id.nameAndStream]))
                        cases.append(Case(package: nevra, place: "\(build.id) of \(place.lastPathComponent) \(seed)", works: !isReported))
                    }
                }
            }
            let answers = try await Dnf.ask(questions, below: directory)
            for (answer, item) in zip(answers, cases) { #expect((answer != nil) == item.works, "\(item.package) of \(item.place)") }
            #expect(cases.contains { $0.works } && cases.contains { !$0.works })
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

    mutating func packages(requiring: Bool = false) -> String {
        var text = ""
        for name in 0..<6 {
            for version in 1...3 {
                text += "p\(name) \(version)-1 x86_64\n"
                if roll(5) == 0 { text += "    provides p\(roll(6))\n" }
                if requiring, roll(3) == 0 { text += "    requires p\(roll(6))\(pick(["", " = 2", " >= 2", " < 3"]))\n" }
            }
        }
        return text
    }

    mutating func enabled() -> [ModuleReference] {
        Self.moduleNames.filter { _ in roll(3) == 0 }.map { ModuleReference(name: $0, stream: "1") }
    }
}
