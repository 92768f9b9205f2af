import CSolv
import Foundation
import Logging
import Repodata
import Testing

@testable import Depsolve

@Suite("A pool that follows its repositories")
struct FollowedPoolTests {
    private static let logger = Logger(label: "test")

    private func key(_ repositories: [RepositoryMetadata], _ lookaside: [RepositoryMetadata] = []) throws -> PackagePool.Key {
        PackagePool.Key(repositories: repositories, lookaside: lookaside, architecture: try #require(TreeArchitecture("x86_64")))
    }

    /// Everything about a pool that its ids do not show: its packages in their order, with their records, their dependencies, and the
    /// packages that provide these.
    private func content(_ pool: PackagePool) -> [String] {
        (pool.allPackages(ofLookaside: true) + pool.allPackages()).map { package in
            let s = pool.solvable(package).pointee
            let lists = [s.provides, s.obsoletes, s.conflicts, s.requires, s.recommends, s.suggests, s.supplements, s.enhances].map {
                list in
                pool.dependencies(package, at: list).map { dependency in
                    let providers = pool.providers(dependency).filter { $0 > SYSTEMSOLVABLE }.map {
                        "\(pool.nevra($0)) \(pool.isLookaside($0))"
                    }
                    return "\(pool.text(ofDependency: dependency)) by \(providers)"
                }.sorted()
            }
            return "\(pool.record(package)) \(pool.isLookaside(package)) \(lists)"
        }
    }

    @Test("it has the same packages in the same order as a fresh one, after any changes", arguments: 1...10)
    func sameContent(_ seed: Int) async throws {
        try await withTemporaryDirectory { directory in
            var random = Dice(seed: seed)
            random.names = 40
            var (packages, others) = (try WorldPackage.parse(random.world(count: 90)), try WorldPackage.parse(random.world(count: 20)))
            var bases: [RepositoryMetadata?] = [nil, nil]
            var followed: PackagePool?
            var count = 0
            for revision in 0..<20 {
                try change(&packages, &random, revision)
                if random.roll(3) == 0 { try change(&others, &random, revision + 100) }
                var (wholes, kept): ([RepositoryMetadata], [RepositoryMetadata]) = ([], [])
                for (number, packages) in [packages, others].enumerated() {
                    let place = directory.appending(path: "\(revision)-\(number)")
                    let whole = try WorldRepository(packages: packages, name: "source-\(number)").write(to: place)
                    let layer = try LayeredMetadata.make(
                        whole, over: bases[number], at: directory.appending(path: "\(revision)-\(number)-kept"))
                    if layer.base == nil { bases[number] = layer }
                    wholes.append(whole)
                    kept.append(layer)
                }
                let fresh = try PackagePool.load(try key([wholes[0]], [wholes[1]]), logger: Self.logger)
                let wanted = try key([kept[0]], [kept[1]])
                if let pool = followed, pool.canFollow(wanted) {
                    try pool.follow(wanted)
                    count += 1
                } else {
                    followed = try PackagePool.load(wanted, logger: Self.logger)
                }
                let pool = try #require(followed)
                #expect(content(pool) == content(fresh), "seed \(seed), revision \(revision)")
            }
            #expect(count > 8)
        }
    }

    private func change(_ packages: inout [WorldPackage], _ random: inout Dice, _ revision: Int) throws {
        let place = random.roll(packages.count)
        switch random.roll(7) {
        case 0: packages.remove(at: place)
        case 1: packages.append(packages.remove(at: place))
        case 2: packages[place].files.append("/usr/bin/file\(random.roll(6))")
        case 3: packages[place].files.append("/usr/share/file\(random.roll(6))")
        case 4: packages[place].dependencies["requires", default: []].append("/usr/bin/file\(random.roll(6))")
        case 5: packages[place].dependencies["recommends", default: []].append("/usr/share/file\(random.roll(6))")
        default:
            let text = random.world(count: 1, release: revision + 2)
            packages.insert(contentsOf: try WorldPackage.parse(text), at: place)
        }
    }

    @Test("a path that only removed packages require is not provided")
    func pathOfRemovedPackage() async throws {
        try await withTemporaryDirectory { directory in
            var packages = try WorldPackage.parse((0..<40).map { "p\($0) 1-1 x86_64\n" }.joined())
            packages[3].files = ["/usr/bin/tool", "/usr/share/data"]
            packages[7].dependencies["requires"] = ["/usr/bin/tool", "/usr/share/data"]
            let older = try WorldRepository(packages: packages, name: "source").write(to: directory.appending(path: "older"))
            let base = try LayeredMetadata.make(older, over: nil, at: directory.appending(path: "base"))
            packages.remove(at: 7)
            let whole = try WorldRepository(packages: packages, name: "source").write(to: directory.appending(path: "whole"))
            let layer = try LayeredMetadata.make(whole, over: base, at: directory.appending(path: "layer"))
            let pool = try PackagePool.load(try key([base]), logger: Self.logger)
            for _ in 0..<2 {
                for path in ["/usr/bin/tool", "/usr/share/data"] { #expect(pool.providers(try #require(pool.existingID(path))).count == 1) }
                try pool.follow(try key([layer]))
                for path in ["/usr/bin/tool", "/usr/share/data"] { #expect(pool.providers(try #require(pool.existingID(path))).isEmpty) }
                try pool.follow(try key([base]))
            }
        }
    }

    @Test("new packages provide files too, and all packages provide files that are newly required")
    func files() async throws {
        try await withTemporaryDirectory { directory in
            var packages = try WorldPackage.parse((0..<60).map { "p\($0) 1-1 x86_64\n" }.joined())
            for number in [3, 5] { packages[number].files = ["/usr/bin/tool", "/usr/bin/other", "/etc/third"] }
            packages[7].dependencies["requires"] = ["/usr/bin/tool"]
            var revisions: [(kept: RepositoryMetadata, whole: RepositoryMetadata)] = []
            func add() throws {
                let place = directory.appending(path: "\(revisions.count)")
                let whole = try WorldRepository(packages: packages, name: "source").write(to: place)
                let kept = try LayeredMetadata.make(
                    whole, over: revisions.first?.kept, at: directory.appending(path: "\(revisions.count)-kept"))
                revisions.append((kept, whole))
            }
            try add()
            packages[9].files = ["/usr/bin/tool"]
            try add()
            packages[11].files = ["/usr/bin/tool", "/usr/bin/other"]
            packages[12].dependencies["suggests"] = ["(/usr/bin/other if p1)"]
            try add()
            packages[13].dependencies["conflicts"] = ["/etc/third"]
            packages[3].files = ["/etc/third"]
            try add()
            packages.remove(at: 7)
            try add()
            let pool = try PackagePool.load(try key([revisions[0].kept]), logger: Self.logger)
            for number in [1, 2, 3, 4, 4, 3, 1, 0, 2, 0, 4, 1, 1] {
                let wanted = try key([revisions[number].kept])
                try #require(pool.canFollow(wanted))
                try pool.follow(wanted)
                let fresh = try PackagePool.load(try key([revisions[number].whole]), logger: Self.logger)
                #expect(content(pool) == content(fresh), "revision \(number)")
            }
        }
    }

    @Test("it follows to a revision over a layer that was written as a whole")
    func compacted() async throws {
        try await withTemporaryDirectory { directory in
            var packages = try WorldPackage.parse((0..<60).map { "p\($0) 1-1 x86_64\n requires p\($0 / 2)\n" }.joined())
            func whole(_ name: String) throws -> RepositoryMetadata {
                try WorldRepository(packages: packages, name: "source").write(to: directory.appending(path: name))
            }
            func kept(_ metadata: RepositoryMetadata, over base: RepositoryMetadata?, _ name: String) throws -> RepositoryMetadata {
                try LayeredMetadata.make(metadata, over: base, at: directory.appending(path: name))
            }
            let base = try kept(try whole("0"), over: nil, "base")
            packages.remove(at: 4)
            packages.append(packages.remove(at: 9))
            let first = try whole("1")
            let layer = try kept(first, over: base, "layer")
            let compacted = try kept(first, over: nil, "compacted")
            packages[2].dependencies["provides"] = ["some"]
            packages.remove(at: 30)
            let second = try whole("2")
            let next = try kept(second, over: compacted, "next")
            let pool = try PackagePool.load(try key([base]), logger: Self.logger)
            for (kept, whole) in [(layer, first), (compacted, first), (next, second), (compacted, first), (next, second)] {
                let wanted = try key([kept])
                try #require(pool.canFollow(wanted))
                try pool.follow(wanted)
                let fresh = try PackagePool.load(try key([whole]), logger: Self.logger)
                #expect(content(pool) == content(fresh))
            }
            #expect(!pool.canFollow(try key([layer])))
        }
    }

    @Test("it does not grow with the revisions, as long as the packages are the same")
    func size() async throws {
        try await withTemporaryDirectory { directory in
            var packages = try WorldPackage.parse(
                (0..<100).map { "p\($0) 1-1 x86_64\n requires p\($0 / 2)\n file /usr/bin/p\($0)\n" }.joined())
            let older = try WorldRepository(packages: packages, name: "source").write(to: directory.appending(path: "older"))
            let base = try LayeredMetadata.make(older, over: nil, at: directory.appending(path: "base"))
            packages[5].dependencies["requires", default: []].append("/usr/bin/p6")
            packages.append(packages.remove(at: 3))
            let whole = try WorldRepository(packages: packages, name: "source").write(to: directory.appending(path: "whole"))
            let layer = try LayeredMetadata.make(whole, over: base, at: directory.appending(path: "layer"))
            let pool = try PackagePool.load(try key([base]), logger: Self.logger)
            // The first time, the pool also learns which files are provided.
            for _ in 0..<2 { try pool.follow(try key([layer])) }
            let (footprint, capacity) = (pool.footprint, pool.capacity)
            for _ in 0..<20 {
                try pool.follow(try key([layer]))
                #expect(pool.footprint == footprint)
                #expect(pool.capacity == capacity)
            }
        }
    }

    @Test("it cannot follow to another base, or to a repository with entries that are not usable")
    func cannot() async throws {
        try await withTemporaryDirectory { directory in
            let packages = try WorldPackage.parse((0..<40).map { "p\($0) 1-1 x86_64\n" }.joined())
            let one = try WorldRepository(packages: packages, name: "one").write(to: directory.appending(path: "one"))
            let other = try WorldRepository(packages: Array(packages.dropLast()), name: "one").write(
                to: directory.appending(path: "other"))
            let base = try LayeredMetadata.make(one, over: nil, at: directory.appending(path: "base"))
            let layer = try LayeredMetadata.make(other, over: base, at: directory.appending(path: "layer"))
            let pool = try PackagePool.load(try key([base]), logger: Self.logger)
            #expect(pool.canFollow(try key([layer])))
            #expect(!pool.canFollow(try key([other])))
            #expect(!pool.canFollow(try key([layer, base])))
            #expect(!pool.canFollow(try key([base], [layer])))
        }
    }
}
