import Depsolve
import Foundation
import Repodata
import Testing

@Suite("Changes of packages that a request does not reach")
struct UnrelatedChangeTests {
    @Test("the answer is the same after other packages have come, with the same dependencies in another order")
    func sameAnswer() async throws {
        try await withTemporaryDirectory { directory in
            let depsolver = Depsolver()
            var found = 0
            for seed in 1...60 {
                var random = Dice(seed: seed)
                random.hasWeakDependencies = seed.isMultiple(of: 2)
                let packages = try WorldPackage.parse(random.world(count: 30))
                // Nobody requires the newcomers. Their dependencies have the texts of those of the others.
                let texts = packages.flatMap { $0.dependencies["requires", default: []] }.reversed()
                let newcomers = try texts.prefix(12).enumerated().map { number, text in
                    try WorldPackage.parse("newcomer\(number) 1-1 x86_64\n    requires \(text)\n")[0]
                }
                var answers: [String] = []
                for (name, all) in [("before", packages), ("after", newcomers + packages)] {
                    let place = directory.appending(path: "\(seed)-\(name)")
                    let metadata = try WorldRepository(packages: all, name: "source").write(to: place)
                    let request = DepsolveRequest(
                        repositories: [metadata], packages: Array(Set(packages.map(\.name)).sorted().prefix(5)), arches: ["x86_64"])
                    answers.append(World.rendered(try await depsolver.resolve(request)))
                }
                #expect(answers[0] == answers[1], "world \(seed)")
                if answers[0].contains("requires") || answers[0].contains("missing") { found += 1 }
            }
            #expect(found > 10)
        }
    }

    @Test("if two requirements lead to a package, the reason names the first one by its text")
    func firstByText() async throws {
        try await withTemporaryDirectory { directory in
            let world = """
                app 1-1 x86_64
                    requires zebra
                    requires apple
                lib 1-1 x86_64
                    provides apple
                    provides zebra
                """
            for (name, company) in [("alone", ""), ("company", "other 1-1 x86_64\n    requires zebra\n    provides zoo\n")] {
                let metadata = try WorldRepository(packages: WorldPackage.parse(company + world), name: "source")
                    .write(to: directory.appending(path: name))
                let resolution = try await Depsolver().resolve(
                    DepsolveRequest(repositories: [metadata], packages: ["app"], arches: ["x86_64"]))
                #expect(World.rendered(resolution).contains("lib-1-1.x86_64: required by app-1-1.x86_64 (apple)"))
            }
        }
    }
}
