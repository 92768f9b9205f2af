import Foundation
import SystemPackage
import Testing

/// Composes from 3,000 packages with the dependencies of Debian's own, as `tools/realrepo` makes them.
@Suite struct RealRepoTests {
    private struct RealRepository {
        let directory: FilePath
        /// Of all packages, sorted.
        let names: [String]

        var packages: FilePath { directory.appending("os") }

        /// Names, evenly spread over the alphabet and the same each time.
        func selection(_ count: Int) -> [String] {
            (0..<count).map { names[$0 * names.count / count] }
        }

        /// Makes it in `directory`, which is created.
        static func make(count: Int, in directory: FilePath) async throws -> RealRepository {
            try await Program.succeed(
                "/usr/bin/python3", Checkout.directory.appending("tools/realrepo/realrepo.py").string, "--out=\(directory)",
                "--count=\(count)",
                "--createrepo")
            let manifest = try String(contentsOfFile: directory.appending("manifest.tsv").string, encoding: .utf8)
            let names = manifest.split(separator: "\n").dropFirst().map { String($0.split(separator: "\t")[1]) }.sorted()
            return RealRepository(directory: directory, names: names)
        }
    }

    @Test(
        "what dnf can install from the source, it can install from a compose of it, and needs nearly all of the compose for it",
        .timeLimit(.minutes(15)))
    func realDependencies() async throws {
        try await SharedService.with(more: "") { shared in
            let repository = try await RealRepository.make(count: 3000, in: shared.sources.appending("real"))
            #expect(repository.names.count == 3000)
            for requested in [["nginx"], repository.selection(10), repository.selection(100)] {
                let compose = try await shared.compose(from: repository.packages.string, requested)
                #expect(compose.state == "done")
                let source = try await Self.installable(requested, from: "file://\(repository.packages)")
                let composed = try await Self.installable(requested, from: compose.url("x86_64/os"))
                #expect(composed.keys.sorted() == source.keys.sorted())
                #expect(composed.count >= requested.count * 9 / 10)
                // What dnf cannot install at all is explained, and nothing else is.
                #expect((compose.reason.count == 1) == (source.count == requested.count), "\(compose.reason)")

                let needed = composed.values.reduce(into: Set<String>()) { $0.formUnion($1) }
                let packages = try Set(compose.packages())
                #expect(needed.isSubset(of: packages))
                // Where one of several packages will do, the smaller choice of the compose can make dnf take another one.
                #expect(packages.subtracting(needed).count * 100 <= packages.count, "\(packages.subtracting(needed).sorted())")
                if geteuid() == 0 {
                    try await Self.assertInstalls(Array(composed.keys.sorted().suffix(3)), from: compose, by: shared.server)
                }
            }
        }
    }

    /// Those that dnf's solver can install from a repository alone, with what comes along.
    private static func installable(_ names: [String], from repository: String) async throws -> [String: [String]] {
        let answer: [String: [String]?] = try await PythonScript.dnfInstallable.run([repository] + names)
        return answer.compactMapValues(\.self)
    }

    /// The command itself, which wants to be root, agrees.
    private static func assertInstalls(_ names: [String], from compose: FinishedCompose, by server: ServerProcess) async throws {
        try await Dnf.with { dnf in
            try await dnf.add(compose, by: server)
            for name in names {
                let plan = try await dnf.run("--assumeno", "--setopt=install_weak_deps=False", "install", name)
                #expect(plan.complaints == "Operation aborted.\n", "\(plan)")
            }
        }
    }
}
