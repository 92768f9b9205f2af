import Depsolve
import Foundation
import Modules
import Repodata
import SystemPackage
import Testing

/// The real dnf decides what machines see of modules.
@Suite("dnf agrees about modules", .enabled("the system's Python has dnf") { await Dnf.isAvailable })
struct ModularDnfTests {
    /// dnf requires each of several alternatives, and takes a filtered package that is an artifact nevertheless; no real build has either.
    private static let different: Set<String> = ["module-alternatives", "module-filtered-package"]

    private static func isForDnf(_ world: World, _ request: DepsolveRequest) throws -> Bool {
        // Debian's libsolv cannot install packages of one name and two architectures.
        let has32Bit = try WorldPackage.parse(world.text("world.repo")).contains { $0.arch == "i686" }
        return world.isModular && !different.contains(world.testDescription) && request.arches == ["x86_64"] && !has32Bit
    }

    @Test("the packages that there are for a request are those that dnf sees with the same streams enabled")
    func visible() async throws {
        try await withTemporaryDirectory { directory in
            var questions: [Dnf.Question] = []
            var expected: [(world: World, packages: Set<String>)] = []
            for world in World.all {
                var request = try world.request(below: directory.appending(path: world.testDescription))
                guard try Self.isForDnf(world, request) else { continue }
                expected.append((world, try await Self.visible(&request)))
                questions.append(Self.question(request, packages: []))
            }
            let answers = try await Dnf.ask(questions, below: directory)
            for (answer, expected) in zip(answers, expected) {
                #expect(Set(answer ?? ["refused"]) == expected.packages, "\(expected.world)")
            }
            #expect(expected.count > 20)
        }
    }

    @Test("where one build is to be in, the result is what dnf installs from the source with its stream enabled")
    func included() async throws {
        try await withTemporaryDirectory { directory in
            var questions: [Dnf.Question] = []
            var expected: [(world: World, resolved: Set<String>)] = []
            for world in World.all {
                let request = try world.request(below: directory.appending(path: world.testDescription))
                guard try Self.isForDnf(world, request), request.packages == ["other"], let modules = request.modules,
                    modules.included.count == 1, !modules.isAlone, !request.noDeps
                else { continue }
                let resolution = try await Depsolver().resolve(request)
                let resolved = resolution.trees[0].binaries
                guard let build = modules.included.first, resolution.missing.isEmpty, resolution.moduleProblems.isEmpty else { continue }
                let own = resolved.filter { $0.reason == .module(build.description) }.map { "\($0.record.nevra)" }
                if own.isEmpty { continue }
                questions.append(Self.question(request, packages: own + ["other"], enabled: [build.nameAndStream]))
                expected.append((world, Set(resolved.map { "\($0.record.nevra)" })))
            }
            let answers = try await Dnf.ask(questions, below: directory)
            for (answer, expected) in zip(answers, expected) {
                #expect(Set(answer ?? ["refused"]) == expected.resolved, "\(expected.world)")
            }
            #expect(expected.count > 5)
        }
    }

    @Test("each package of a build can be installed from the result and the lookaside with its stream enabled, unless it was reported")
    func eachCanBeInstalled() async throws {
        try await withTemporaryDirectory { directory in
            var questions: [Dnf.Question] = []
            var expected: [(package: String, works: Bool)] = []
            for world in World.all {
                let root = directory.appending(path: world.testDescription)
                let request = try world.request(below: root)
                guard try Self.isForDnf(world, request), let modules = request.modules, !modules.included.isEmpty, !modules.isAlone else {
                    continue
                }
                let resolution = try await Depsolver().resolve(request)
                let resolved = Set((resolution.trees[0].binaries + resolution.trees[0].debug).map(\.record.nevra))
                let compose = root.appending(path: "compose")
                _ = try WorldRepository(
                    packages: WorldPackage.parse(world.text("world.repo")).filter { resolved.contains($0.nevra) }, name: "compose",
                    modules: modules.metadata.yaml(of: Set(resolution.modules), packages: resolved)
                ).write(to: compose.appending(path: "repodata"))
                let repositories = [compose.path] + Self.question(request, packages: []).repositories.filter { $0.hasSuffix("lookaside") }
                for stream in modules.metadata.streams where modules.included.contains(stream.id) {
                    for package in stream.packages.intersection(resolved) {
                        questions.append(
                            Dnf.Question(repositories: repositories, packages: ["\(package)"], enabled: [stream.id.nameAndStream]))
                        let isReported =
                            resolution.missing.contains { $0.package == package || $0.chain.first?.package == package }
                            || resolution.problems.contains { $0.package == package }
                            || resolution.moduleProblems.contains { $0.module == stream.id.description }
                        expected.append(("\(package) of \(world)", !isReported))
                    }
                }
            }
            let answers = try await Dnf.ask(questions, below: directory)
            for (answer, expected) in zip(answers, expected) {
                #expect((answer != nil) == expected.works, "\(expected.package)")
            }
            #expect(expected.filter(\.works).count > 15 && expected.filter { !$0.works }.count > 2)
        }
    }

    /// The best package of each name that a request could mean.
    static func visible(_ request: inout DepsolveRequest, _ depsolver: Depsolver = Depsolver()) async throws -> Set<String> {
        request.packages = ["*"]
        request.noDeps = true
        request.modules?.included = []
        request.modules?.isAlone = false
        let tree = try await depsolver.resolve(request).trees[0]
        return Set(
            (tree.binaries + tree.debug).filter { if case .debugOf = $0.reason { false } else { true } }.map { "\($0.record.nevra)" })
    }

    static func question(_ request: DepsolveRequest, packages: [String], enabled: [String]? = nil) -> Dnf.Question {
        Dnf.Question(
            repositories: (request.repositories + request.lookaside).map {
                URL(filePath: $0.directory.string).deletingLastPathComponent().path
            },
            packages: packages, enabled: enabled ?? request.modules?.enabled.map(\.description) ?? [])
    }
}
