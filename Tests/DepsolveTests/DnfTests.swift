import Depsolve
import Foundation
import Modules
import Repodata
import SystemPackage
import Testing

/// The real dnf decides whether what it would install is what was resolved.
@Suite("dnf agrees", .enabled("the system's Python has dnf") { await Dnf.isAvailable })
struct DnfTests {
    /// A world's resolution, and what dnf is asked about it.
    private struct Case {
        let world: World
        let resolution: Resolution
        let enabled: [String]
        /// The packages that were requested.
        let requested: [NEVRA]
        let sourceRepositories: [URL]
        let composeRepositories: [URL]
    }

    @Test("each requested package can be installed from the result and the lookaside, unless it was reported")
    func eachCanBeInstalled() async throws {
        try await withTemporaryDirectory { directory in
            let cases = try await cases(below: directory)
            var questions: [Dnf.Question] = []
            var expected: [(package: String, works: Bool)] = []
            for item in cases {
                for package in item.requested {
                    questions.append(
                        Dnf.Question(repositories: item.composeRepositories.map(\.path), packages: ["\(package)"], enabled: item.enabled))
                    let lacks = item.resolution.missing.contains { $0.package == package || $0.chain.first?.package == package }
                    let contradicts = item.resolution.problems.contains { $0.package == package }
                    expected.append(("\(package) of \(item.world)", !lacks && !contradicts))
                }
            }
            let answers = try await Dnf.ask(questions, below: directory)
            for (answer, expected) in zip(answers, expected) {
                #expect((answer != nil) == expected.works, "\(expected.package)")
            }
            #expect(expected.filter(\.works).count > 50 && expected.filter { !$0.works }.count > 5)
        }
    }

    @Test("where all requested packages go together, the result is what dnf installs from the source")
    func sameChoice() async throws {
        try await withTemporaryDirectory { directory in
            let cases = try await cases(below: directory).filter { $0.resolution.missing.isEmpty && $0.resolution.problems.isEmpty }
            let answers = try await Dnf.ask(
                cases.map {
                    Dnf.Question(
                        repositories: $0.sourceRepositories.map(\.path), packages: $0.requested.map { "\($0)" }, enabled: $0.enabled)
                },
                below: directory)
            var compared = 0
            for (item, answer) in zip(cases, answers) {
                guard let answer else { continue }  // They do not go together.
                let tree = item.resolution.trees[0]
                let resolved = (tree.binaries + tree.debug).filter { package in
                    switch package.reason {
                    case .debugOf: false
                    // What debugging information of others requires comes along as that does.
                    case .requiredBy(let by, _): !by.isDebug || item.requested.contains(by)
                    default: true
                    }
                }
                #expect(Set(resolved.map { "\($0.record.nevra)" }) == Set(answer), "\(item.world)")
                compared += 1
            }
            #expect(compared > 30)
        }
    }

    /// The worlds that can be put to dnf: for the one architecture, with something requested and solved for. Debian's libsolv cannot
    /// install packages of one name and two architectures, so none with 32-bit packages.
    private func cases(below directory: URL) async throws -> [Case] {
        var cases: [Case] = []
        let depsolver = Depsolver()
        for world in World.all {
            let root = directory.appending(path: world.testDescription)
            let request = try world.request(below: root)
            if request.noDeps || request.packages.isEmpty || request.arches != ["x86_64"] || request.modules?.included.isEmpty == false {
                continue
            }
            let resolution = try await depsolver.resolve(request)
            let resolved = resolution.trees[0].binaries + resolution.trees[0].debug
            if resolved.isEmpty || resolved.contains(where: { $0.record.nevra.arch == "i686" }) { continue }
            // Which of two equally named packages was taken is not seen from its name.
            if !resolution.overruled.isEmpty { continue }

            let names = Set(resolved.map { "\($0.record.nevra)" })
            let compose = try ["world", "second"].filter { world.has("\($0).repo") }.flatMap {
                try WorldPackage.parse(world.text("\($0).repo"))
            }.filter { names.contains("\($0.nevra)") }
            let documents =
                try request.modules?.metadata.yaml(of: Set(resolution.modules), packages: Set(resolved.map(\.record.nevra))) ?? ""
            _ = try WorldRepository(packages: compose, name: "compose", modules: documents).write(
                to: root.appending(path: "compose/repodata"))
            cases.append(
                Case(
                    world: world, resolution: resolution, enabled: request.modules?.enabled.map(\.description) ?? [],
                    requested: resolved.filter { package in
                        switch package.reason {
                        case .requested, .builtFrom: true
                        default: false
                        }
                    }.map(\.record.nevra),
                    sourceRepositories: (request.repositories + request.lookaside).map(Self.root),
                    composeRepositories: [root.appending(path: "compose")] + request.lookaside.map(Self.root)))
        }
        return cases
    }

    private static func root(_ metadata: RepositoryMetadata) -> URL {
        URL(filePath: metadata.directory.string).deletingLastPathComponent()
    }
}
