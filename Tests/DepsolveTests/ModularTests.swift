import Depsolve
import Foundation
import Modules
import Repodata
import Testing

@Suite("Modules of a request")
struct ModularTests {
    /// Resolves everything, or `packages`, of a repository with these modules; `change` may make it another request.
    private func resolve(
        _ modules: String, packages: String = "app 1-1 x86_64\n", _ change: (inout DepsolveRequest) throws -> Void = { _ in }
    ) async throws -> Resolution {
        try await withTemporaryDirectory { directory in
            let yaml = try WorldModules(modules).yaml
            let repository = WorldRepository(packages: try WorldPackage.parse(packages), name: "world", modules: yaml)
            var request = DepsolveRequest(
                repositories: [try repository.write(to: directory.appending(path: "world/repodata"))],
                modules: ModularContent(metadata: try ModuleMetadata(yaml: yaml)), arches: ["x86_64"])
            try change(&request)
            return try await Depsolver().resolve(request)
        }
    }

    private static let nodejs = "nodejs:18:1:c1\nnodejs:20:1:c1\nnodejs:20:2:c2\npostgresql:15:1:c1\n"

    @Test(
        "a stream that is not there is named, with what comes near",
        arguments: [
            ("nodejs:22", "There is no module nodejs:22 in the repositories. The nearest names are nodejs:18, nodejs:20."),
            (
                "nodejs:20:7",
                "There is no module nodejs:20:7 in the repositories. The nearest names are nodejs:20:2:c2, nodejs:20:1:c1."
            ),
            ("postgresq:15", "There is no module postgresq:15 in the repositories. The nearest name is postgresql."),
            ("vim:9", "There is no module vim:9 in the repositories."),
        ])
    func notThere(module: String, text: String) async throws {
        let error = await #expect(throws: DepsolveError.self) {
            try await resolve(Self.nodejs) { $0.modules?.enabled = [try #require(ModuleReference(module))] }
        }
        #expect(error?.description == text)
    }

    @Test("content without module metadata is not empty if it includes a build")
    func includedIsNotEmpty() {
        #expect(ModularContent(metadata: ModuleMetadata()).isEmpty)
        let build = NSVC(name: "nodejs", stream: "20", version: 3, context: "c")
        #expect(!ModularContent(metadata: ModuleMetadata(), included: [build]).isEmpty)
    }

    @Test("a build to be in that is not there is an error, also where there are no modules at all")
    func includedNotThere() async throws {
        let build = NSVC(name: "nodejs", stream: "20", version: 3, context: "c")
        for (modules, nearest) in [(Self.nodejs, ["nodejs:20:2:c2", "nodejs:20:1:c1"]), ("", [])] {
            await #expect(throws: DepsolveError.moduleNotFound("nodejs:20:3:c", nearest: nearest)) {
                try await resolve(modules) { $0.modules?.included = [build] }
            }
        }
    }

    @Test(
        "modules that cannot be enabled together are an error that says why",
        arguments: [
            (["nodejs:18", "nodejs:20"], "nodejs:18 and nodejs:20 cannot both be enabled"),
            (["app:1", "nodejs:18"], "app:1:1:c1 requires nodejs:20; nodejs:18 and nodejs:20 cannot both be enabled"),
            (["old:1"], "old:1:1:c1 requires perl:5.26 or 5.28, but there is no build of it here"),
            (["picky:1", "nodejs:18"], "picky:1:1:c1 requires nodejs, but not 18"),
            (
                ["either:1", "nodejs:18"],
                "either:1:1:c1 requires perl, but there is no build of it here; nodejs:18 and nodejs:20 cannot both be enabled"
            ),
        ])
    func conflict(enabled: [String], reason: String) async throws {
        let modules =
            "nodejs:18:1:c1\nnodejs:20:1:c1\napp:1:1:c1\n    requires nodejs:20\nold:1:1:c1\n    requires perl:5.26|5.28\n"
            + "picky:1:1:c1\n    requires nodejs:-18\neither:1:1:c1\n    requires nodejs:20\n    requires perl\n"
        let error = await #expect(throws: DepsolveError.self) {
            try await resolve(modules) { $0.modules?.enabled = enabled.compactMap { ModuleReference($0) } }
        }
        #expect(error?.description.contains("cannot be enabled for x86_64: ") == true)
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test("without any stream everything is as without modules")
    func noModules() async throws {
        let packages = "app 1-1 x86_64\n    requires lib\nlib 1-1 x86_64\n"
        for names in [[], ["app"]] {
            let with = try await resolve("default nodejs:20\n", packages: packages) { $0.packages = names }
            let without = try await resolve("", packages: packages) {
                $0.packages = names
                $0.modules = nil
            }
            #expect(with.trees.map { $0.binaries.map(\.record.nevra) } == without.trees.map { $0.binaries.map(\.record.nevra) })
            #expect(with.modules.isEmpty && with.moduleProblems.isEmpty)
        }
    }

    @Test("a stream of which no document tells the architecture, or noarch, is there for all")
    func noArchitecture() async throws {
        let resolution = try await resolve("apps:1:1:c1 noarch\n    app 1-1 x86_64\ndefault apps:1\n") { $0.packages = ["app"] }
        #expect(resolution.modules.map(\.description) == ["apps:1:1:c1"])
    }

    @Test("a document of another architecture has no say")
    func otherArchitecture() async throws {
        let resolution = try await resolve("apps:1:1:c1 s390x\n    app 1-1 x86_64\n")
        #expect(resolution.modules.isEmpty)
        #expect(resolution.trees[0].binaries.map(\.reason) == [.everything])
    }

    @Test("many alternatives of many requirements do not multiply")
    func alternatives() async throws {
        let alternative = "    requires \((0..<24).map { "m\($0):1|2|3" }.joined(separator: " "))\n"
        let others = (0..<24).map { "m\($0):1:1:c\n" }.joined()
        let resolution = try await resolve(
            "app:1:1:c1\n" + (0..<24).map { "    requires m\($0):9 n\($0):8\n" }.joined() + alternative + others
        ) {
            $0.packages = ["app"]
            $0.modules?.enabled = [ModuleReference(name: "app", stream: "1")]
        }
        #expect(resolution.moduleProblems.isEmpty)
    }

    @Test("a stream with a dash is a stream, not one that is excluded")
    func dash() async throws {
        let resolution = try await resolve("app:1:1:c1\n    requires perl:rhel-8\n    app 1-1 x86_64\nperl:rhel-8:1:c\n") {
            $0.packages = ["app"]
            $0.modules?.enabled = [ModuleReference(name: "app", stream: "1")]
        }
        #expect(resolution.modules.map(\.description) == ["app:1:1:c1", "perl:rhel-8:1:c"])
    }

    @Test("of two repositories that disagree about a default, none is taken")
    func defaultsDisagree() async throws {
        let resolution = try await resolve("app:1:1:c1\n    app 1-1 x86_64\napp:2:1:c1\ndefault app:1\n") {
            $0.packages = ["app"]
            $0.modules?.lookaside = try ModuleMetadata(yaml: WorldModules("app:2:1:c1\ndefault app:2\n").yaml)
        }
        #expect(
            resolution.absent.map(\.description) == ["app is not there for x86_64; app is part of the module app:1, which is not enabled"])
    }

    @Test("what is alone and without dependencies is itself and nothing else")
    func alone() async throws {
        let modules = "app:1:1:c1\n    requires perl:1\n    app 1-1 x86_64\nperl:1:1:c\n"
        let build = NSVC(name: "app", stream: "1", version: 1, context: "c1")
        for (noDeps, expected) in [(true, ["app:1:1:c1"]), (false, ["app:1:1:c1", "perl:1:1:c"])] {
            let resolution = try await resolve(modules, packages: "app 1-1 x86_64\nother 1-1 x86_64\nother 1-1 src\n") {
                $0.modules?.included = [build]
                $0.modules?.isAlone = true
                $0.noDeps = noDeps
            }
            #expect(resolution.modules.map(\.description) == expected)
            #expect(resolution.trees[0].binaries.map(\.record.nevra.name) == ["app"])
            #expect(resolution.sources.isEmpty)
        }
    }
}
