import CSolv
import Compression
import Foundation
import Logging
import RandomTestKit
import Repodata
import Testing

@testable import Depsolve

/// The sequence of libsolv's decisions, which depends on the ids of packages.
///
/// `ODCS_TEST_CHANGES` sets the number of worlds, one for each 25 changes, and `ODCS_TEST_SEED` the seed of the first one.
@Suite("The solver's decisions in layers, and in pools that follow their repositories")
struct DecisionTests {
    private static let revisions = 10
    private static let requests = 10

    @Test("for random requests, the solver makes the same decisions as in whole repositories, in the same order")
    func decisions() async throws {
        var (solved, follows) = (0, 0)
        for seed in RandomRun.seed..<RandomRun.seed + max(2, RandomRun.changes / 25) {
            try await withTemporaryDirectory { solved += try compare(seed, below: $0, &follows) }
        }
        print("ODCS_TEST_SEED=\(RandomRun.seed): the decisions for \(solved) requests were compared, after \(follows) changes of a pool")
        #expect(solved >= 200 && follows > 0)
    }

    /// Returns the number of requests that were compared, and counts how often a pool followed its repositories.
    private func compare(_ seed: Int, below directory: URL, _ follows: inout Int) throws -> Int {
        var random = Dice(seed: seed)
        random.names = 40
        random.hasWeakDependencies = random.roll(2) == 0
        func write(_ packages: [WorldPackage], _ name: String, _ place: String) throws -> RepositoryMetadata {
            try WorldRepository(packages: packages, name: name).write(to: directory.appending(path: place))
        }
        // Of the two repositories, both or only the first one may be layers.
        var packages = [try WorldPackage.parse(random.world(count: 110)), try WorldPackage.parse(random.world(count: 50, release: 2))]
        let lookaside = try write(try WorldPackage.parse(random.world(count: 8, release: 0)), "lookaside", "lookaside")
        var bases: [RepositoryMetadata?] = [nil, nil]
        var revisions: [(whole: [RepositoryMetadata], kept: [RepositoryMetadata])] = []
        var followed: PackagePool?
        var solved = 0
        func pool(of key: PackagePool.Key) throws -> PackagePool { try PackagePool.load(key, logger: Logger(label: "test")) }
        func key(_ repositories: [RepositoryMetadata]) throws -> PackagePool.Key {
            PackagePool.Key(repositories: repositories, lookaside: [lookaside], architecture: try #require(TreeArchitecture("x86_64")))
        }
        for revision in 0...Self.revisions {
            var (whole, kept): ([RepositoryMetadata], [RepositoryMetadata]) = ([], [])
            for number in packages.indices {
                if revision > 0 { for _ in 0..<random.roll(4 - 2 * number) { try random.change(&packages[number], revision) } }
                let metadata = try write(packages[number], "source\(number)", "\(revision)-\(number)")
                let place = directory.appending(path: "\(revision)-\(number)-kept")
                // Sometimes a revision is written as a whole, as after many changes.
                let base = random.roll(6) == 0 ? nil : bases[number]
                whole.append(metadata)
                kept.append(try LayeredMetadata.make(metadata, over: base, at: place))
                if kept[number].base == nil { bases[number] = kept[number] }
            }
            revisions.append((whole, kept))
            // Sometimes the pool goes back to an earlier revision.
            let shown = revisions[random.roll(4) == 0 ? random.roll(revisions.count) : revision]
            let wanted = try key(shown.kept)
            if let pool = followed, pool.canFollow(wanted) {
                try pool.follow(wanted)
                follows += 1
            } else {
                followed = try pool(of: wanted)
            }
            let pools = try [#require(followed), pool(of: wanted)]
            let expected = try pool(of: try key(shown.whole))
            for _ in 0..<Self.requests {
                let names = (0..<1 + random.roll(6)).map { _ in random.pick(packages[random.roll(2)].map(\.name)) }
                let version = random.roll(20)
                let decided = try decisions(names, version, in: expected)
                for pool in pools {
                    #expect(
                        try decisions(names, version, in: pool) == decided,
                        "ODCS_TEST_SEED=\(seed), revision \(revision): \(names)")
                }
                solved += 1
            }
        }
        return solved
    }

    /// Returns what the solver decides to install one of the packages of each name, and why it cannot.
    private func decisions(_ names: [String], _ version: Int, in pool: PackagePool) throws -> [String] {
        let candidates = names.compactMap { name in pool.existingID(name).map { (name: $0, packages: pool.named($0)) } }
        let solver = try InstallSolver(pool, for: candidates.flatMap(\.packages))
        let jobs = candidates.enumerated().map { number, candidate -> InstallSolver.Job in
            // Some requests are for an exact package.
            guard (version + number).isMultiple(of: 3), !candidate.packages.isEmpty else { return .dependency(candidate.name) }
            return .package(candidate.packages[version % candidate.packages.count])
        }
        let isSolved = try solver.install(jobs)
        let decisions = solver.decisions.map { "\($0 > 0 ? "+" : "-")\(name(abs($0), in: pool))" }
        return decisions + (isSolved ? [] : solver.problem.map { solver.statement($0).text })
    }

    private func name(_ package: Id, in pool: PackagePool) -> String {
        package == SYSTEMSOLVABLE ? "system" : "\(pool.nevra(package)) of \(pool.repository(of: package).hex)"
    }
}
