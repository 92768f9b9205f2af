import Depsolve
import Foundation
import Repodata
import SystemPackage
import Testing

@Suite("Listings")
struct ListingTests {
    private func nevra(_ text: String) throws -> NEVRA { try #require(NEVRA(text)) }

    private func names(_ resolution: Resolution) -> [String] { resolution.trees.flatMap(\.binaries).map(\.record.nevra.description) }

    @Test("only what is listed counts, also as something that another package needs, and the next request sees all of it again")
    func onlyListed() async throws {
        try await withTemporaryDirectory { directory in
            let world = World.named("two-versions-of-one-name")
            let request = try world.request(below: directory)
            let depsolver = Depsolver()
            var everything = request
            everything.packages = []
            let whole = try await depsolver.resolve(everything)
            let all = whole.trees.flatMap(\.binaries).map(\.record.nevra)
            #expect(all.count > 1)
            for kept in all {
                var narrow = everything
                narrow.listings = [
                    PackageListing(
                        name: "a compose", arch: whole.trees[0].arch, repositories: request.repositories.map(\.id), packages: [kept])
                ]
                let resolution = try await depsolver.resolve(narrow)
                #expect(resolution.trees.flatMap(\.binaries).map(\.record.nevra) == [kept])
                narrow.packages = [kept.name]
                #expect(try await depsolver.resolve(narrow).trees.flatMap(\.binaries).map(\.record.nevra) == [kept])
            }
            #expect(try await depsolver.resolve(everything) == whole)
            #expect(try await Depsolver().resolve(everything) == whole)
        }
    }

    @Test("what is listed for another architecture does not count, and what is listed nowhere is unknown")
    func otherArchitecture() async throws {
        try await withTemporaryDirectory { directory in
            var request = try World.named("chain").request(below: directory)
            let whole = try await Depsolver().resolve(request)
            let packages = Set(whole.trees.flatMap(\.binaries).map(\.record.nevra))
            request.listings = [
                PackageListing(name: "a compose", arch: "s390x", repositories: request.repositories.map(\.id), packages: packages)
            ]
            let resolution = try await Depsolver().resolve(request)
            #expect(names(resolution) == [])
            #expect(resolution.absent.map(\.pattern) == request.packages)
            #expect(resolution.absent.allSatisfy { $0.isNowhere && $0.nearest.isEmpty })
        }
    }

    @Test("a package that is listed and not there is named")
    func absent() async throws {
        try await withTemporaryDirectory { directory in
            var request = try World.named("chain").request(below: directory)
            request.listings = [
                PackageListing(
                    name: "http://host/compose/Server", arch: "x86_64", repositories: request.repositories.map(\.id),
                    packages: [try nevra("gone-1-1.x86_64"), try nevra("away-2:1-1.noarch")])
            ]
            let listed = request
            let error = await #expect(throws: DepsolveError.self) { try await Depsolver().resolve(listed) }
            #expect(
                error?.description
                    == "http://host/compose/Server lists 2 packages for x86_64 that its repositories do not have: away-2:1-1.noarch, gone-1-1.x86_64."
            )
        }
    }

    @Test("of different packages with one name, version and architecture, that of the first listing is taken")
    func overruled() async throws {
        try await withTemporaryDirectory { directory in
            var request = try World.named("same-package-in-two-repositories").request(below: directory)
            request.packages = ["app"]
            let whole = try await Depsolver().resolve(request)
            let app = try #require(whole.trees[0].binaries.first?.record.nevra)
            func listing(_ index: Int) -> PackageListing {
                PackageListing(name: "compose \(index)", arch: "x86_64", repositories: [request.repositories[index].id], packages: [app])
            }
            for order in [[0, 1], [1, 0]] {
                var listed = request
                listed.listings = order.map(listing)
                let resolution = try await Depsolver().resolve(listed)
                #expect(resolution.trees[0].binaries.map(\.record.repository) == [request.repositories[order[0]].id])
                #expect(
                    resolution.overruled.map(\.description) == [
                        "\(app) is not the same in compose \(order[0]) and in compose \(order[1]); that of compose \(order[0]) is taken for x86_64"
                    ])
            }
            var same = request
            same.listings = [listing(0), listing(0)]
            #expect(try await Depsolver().resolve(same).overruled == [])
        }
    }

    @Test("what a package of the compose needs and only an unlisted package provides is missing, and a lookaside still helps")
    func missing() async throws {
        try await withTemporaryDirectory { directory in
            let request = try World.named("chain").request(below: directory)
            let whole = try await Depsolver().resolve(request)
            let all = whole.trees[0].binaries
            let requested = try #require(all.first { $0.record.nevra.name == request.packages[0] }).record.nevra
            var listed = request
            listed.listings = [
                PackageListing(
                    name: "a compose", arch: whole.trees[0].arch, repositories: request.repositories.map(\.id), packages: [requested])
            ]
            let depsolver = Depsolver()
            let resolution = try await depsolver.resolve(listed)
            #expect(names(resolution) == [requested.description])
            #expect(!resolution.missing.isEmpty)
            for checked in [true, false] {
                var everything = listed
                everything.packages = []
                everything.checkInstallability = checked
                #expect(!(try await depsolver.resolve(everything).missing.isEmpty))
                everything.lookaside = request.repositories
                #expect(try await depsolver.resolve(everything).missing.isEmpty)
            }
            #expect(try await depsolver.resolve(request) == whole)
        }
    }

    @Test("a listing makes the same of a repository as leaving the other packages out of it", arguments: World.all)
    func sameAsSmallerRepository(world: World) async throws {
        try await withTemporaryDirectory { directory in
            let depsolver = Depsolver()
            let whole = try world.request(below: directory.appending(path: "whole"))
            // Where several have the same package, only a listing says whose it is.
            guard whole.repositories.count == 1 else { return }
            let before = try await depsolver.resolve(whole)
            for absent in 0..<3 {
                let packages = try WorldPackage.parse(world.text("world.repo")).enumerated().filter { $0.offset % 3 != absent }.map(
                    \.element)
                var (smaller, listed) = (whole, whole)
                smaller.repositories = [
                    try WorldRepository(packages: packages, name: "world").write(to: directory.appending(path: "\(absent)/repodata"))
                ]
                listed.listings = try Depsolver.baseArchitectures(of: whole.arches).map {
                    PackageListing(
                        name: "a compose", arch: $0, repositories: whole.repositories.map(\.id), packages: Set(packages.map(\.nevra)))
                }
                for (names, check) in [(whole.packages, whole.checkInstallability), ([], false), ([], true)] {
                    (smaller.packages, listed.packages) = (names, names)
                    (smaller.checkInstallability, listed.checkInstallability) = (check, check)
                    let expected = try await Depsolver().resolve(smaller)
                    let found = try await depsolver.resolve(listed)
                    #expect(World.rendered(found) == World.rendered(expected))
                }
            }
            #expect(try await depsolver.resolve(whole) == before)
        }
    }
}
