import Compression
import Depsolve
import Foundation
import Repodata
import Testing

@Suite("Depsolver")
struct DepsolverTests {
    @Test("an architecture that RPM does not know is named")
    func unknownArchitecture() async throws {
        try await withTemporaryDirectory { directory in
            var request = try World.named("chain").request(below: directory)
            request.arches = ["x86_64", "vax"]
            let error = await #expect(throws: DepsolveError.self) { try await Depsolver().resolve(request) }
            #expect(error == .unknownArchitecture("vax"))
            #expect(
                error?.description.hasPrefix("vax is not an architecture for which trees can be made; known are x86_64, x86_64_v2, ")
                    == true)
        }
    }

    @Test("canceled, it stops")
    func canceled() async throws {
        try await withTemporaryDirectory { directory in
            let request = try World.named("chain").request(below: directory)
            let task = Task {
                while !Task.isCancelled { await Task.yield() }
                return try await Depsolver().resolve(request)
            }
            task.cancel()
            await #expect(throws: DepsolveError.canceled) { try await task.value }
        }
    }

    @Test("a package's record says where it is and what it was built from")
    func record() async throws {
        try await withTemporaryDirectory { directory in
            let request = try World.named("base-of-a-package").request(below: directory)
            let record = try #require(try await Depsolver().resolve(request).trees.first?.binaries.first?.record)
            #expect(record.nevra == NEVRA(name: "app", version: "1", release: "1", arch: "x86_64"))
            #expect(record.repository == request.repositories[0].id)
            #expect(record.pkgid == Checksum(.sha256, hex: WorldRepository.sha256(Data("world/0:app-1-1.x86_64.rpm".utf8))))
            #expect(record.location == "Packages/a/app-1-1.x86_64.rpm")
            #expect(record.base == "http://mirror.example/")
            #expect(record.size == 1000)
            #expect(record.sourceRPM == "app-1-1.src.rpm")
        }
    }

    @Test("of equal packages, the one of the first repository is taken")
    func firstRepository() async throws {
        try await withTemporaryDirectory { directory in
            var request = try World.named("same-package-in-two-repositories").request(below: directory)
            for (packages, expected) in [([], 0), (["app"], 0)] {
                request.packages = packages
                let resolution = try await Depsolver().resolve(request)
                let app = try #require(resolution.trees[0].binaries.first { $0.record.nevra.name == "app" })
                #expect(app.record.repository == request.repositories[expected].id)
            }
            request.repositories.reverse()
            let reversed = try await Depsolver().resolve(request)
            #expect(reversed.trees[0].binaries[0].record.base == "http://second.example/")
        }
    }

    @Test("a package has the builds and the files that were not taken in its favor")
    func alternatives() async throws {
        try await withTemporaryDirectory { directory in
            let request = try World.named("same-package-and-older-builds").request(below: directory)
            let found = try await Depsolver().resolve(request).trees[0].binaries
            try #require(found.count == 1)
            #expect(found[0].alternatives.builds.map(\.description) == ["foo-1-2.x86_64", "foo-1-1.x86_64"])
            #expect(found[0].alternatives.otherFiles == [request.repositories[1].id])
        }
    }

    @Test("a resolution survives being written as JSON")
    func json() async throws {
        try await withTemporaryDirectory { directory in
            for name in [
                "multilib-devel", "missing", "same-package-and-older-builds", "conflict-inside-one-closure", "debug-and-source",
                "absent-for-one-arch", "source-name", "module-requirements-not-there", "module-hides-by-what-is-provided",
                "module-stream-not-enabled", "module-default-that-has-to-go",
            ] {
                let world = World.named(name)
                let resolution = try await Depsolver().resolve(world.request(below: directory.appending(path: name)))
                let data = try JSONEncoder().encode(resolution)
                #expect(try JSONDecoder().decode(Resolution.self, from: data) == resolution)
            }
        }
    }

    @Test("one that keeps hardly a pool answers all worlds as one that keeps them all, also when they come at once")
    func pools() async throws {
        try await withTemporaryDirectory { directory in
            let forgetful = Depsolver(poolMemoryLimit: 1)
            let mindful = Depsolver()
            try await withThrowingTaskGroup { group in
                for world in World.all {
                    group.addTask {
                        let request = try world.request(below: directory.appending(path: world.testDescription))
                        let first = try await forgetful.resolve(request)
                        let second = try await mindful.resolve(request)
                        let again = try await mindful.resolve(request)
                        #expect(first == second && second == again, "\(world.testDescription)")
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
